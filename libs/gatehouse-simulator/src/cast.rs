//! The people who pass simulated terminals, always the same twelve.

use bytes::Bytes;

use crate::pass::Pass;
use crate::photo;
use crate::random::SplitMix64;

/// idNumber, name, sex, department.
const CAST: &[(&str, &str, &str, &str)] = &[
    ("20001", "张三", "男", "测试部"),
    ("20002", "李秀英", "女", "人事部"),
    ("20003", "王伟", "男", "研发部"),
    ("20004", "赵敏", "女", "财务部"),
    ("20005", "陈建国", "男", "后勤部"),
    ("20006", "刘洋", "女", "市场部"),
    ("20007", "Emma Wilson", "女", "Finance"),
    ("20008", "James O'Connor", "男", "Research"),
    ("20009", "Sofia Rossi", "女", "Design"),
    ("20010", "欧阳娜娜", "女", "行政部"),
    ("20011", "Michael Schmidt", "男", "Logistics"),
    ("20012", "周杰", "男", "保安部"),
];

pub(crate) struct Cast {
    faces: Vec<Bytes>,
    stranger: Bytes,
    stranger_percent: u8,
}

impl Cast {
    /// One photo each, made once and shared by all terminals; none when `photo_kb` is 0.
    pub(crate) fn new(photo_kb: usize, stranger_percent: u8, seed: u64) -> Self {
        let face = |number| Bytes::from(photo::jpeg(photo_kb, seed.wrapping_add(number)));
        let wanted = if photo_kb == 0 { 0 } else { CAST.len() };
        Self {
            faces: (1_u64..).take(wanted).map(face).collect(),
            stranger: if photo_kb == 0 { Bytes::new() } else { face(0) },
            stranger_percent,
        }
    }

    /// Somebody comes by.
    pub(crate) fn next(&self, random: &mut SplitMix64) -> Pass {
        let mut pass = if random.below(100) < u64::from(self.stranger_percent) {
            // As captured from a device: a random idNumber and this name.
            let mut pass = Pass {
                id_number: random.hex(32),
                ..Pass::stranger()
            };
            pass.photo = Some(self.stranger.clone());
            pass
        } else {
            self.staff(random)
        };
        pass.photo = pass.photo.filter(|photo| !photo.is_empty());
        // 36.1 to 36.9, and once in two hundred times a fever.
        let tenths = match random.below(200) {
            0 => 375 + random.below(15),
            _ => 361 + (random.below(5) + random.below(5)),
        };
        pass.temperature = Some(format!("{}.{}", tenths / 10, tenths % 10));
        pass
    }

    fn staff(&self, random: &mut SplitMix64) -> Pass {
        let numbers: Vec<usize> = (0..CAST.len()).collect();
        let number = random.pick(&numbers).copied().unwrap_or(0);
        let (id_number, name, sex, department) =
            CAST.get(number)
                .copied()
                .unwrap_or(("20001", "张三", "男", "测试部"));
        Pass {
            sex: sex.to_owned(),
            department: department.to_owned(),
            in_out_mode: if random.below(2) == 0 { "1" } else { "2" }.to_owned(),
            photo: self.faces.get(number).cloned(),
            ..Pass::staff(id_number, name)
        }
    }
}
