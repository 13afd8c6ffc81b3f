//! What comes in is decoded under limits and never passed on.

use crate::pictures::{decoded, encoded, examine, faces, jpeg, noise, portrait, portrait_file};
use gatehouse_faces::{Criteria, Limits, Unreadable, Variant};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

/// A piece of a file, found by the bytes that it begins with.
fn position(bytes: &[u8], of: &[u8]) -> usize {
    bytes
        .windows(of.len())
        .position(|window| window == of)
        .expect("it is there")
}

/// Another size in a JPEG's frame header, and another kind of frame.
fn with_frame(mut bytes: Vec<u8>, kind: u8, width: u16, height: u16) -> Vec<u8> {
    let at = position(&bytes, &[0xFF, 0xC0]);
    bytes[at + 1] = kind;
    bytes[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    bytes[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))
        })
    })
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut body = kind.to_vec();
    body.extend(data);
    let mut chunk = (data.len() as u32).to_be_bytes().to_vec();
    chunk.extend(&body);
    chunk.extend(crc32(&body).to_be_bytes());
    chunk
}

/// A grey PNG of one bit a pixel whose data unfold to zeros: a zlib stream that says the same 258
/// bytes again and again, a bit over two bits for each.
fn png_bomb(width: u32, height: u32) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([1, 0, 0, 0, 0]);
    let unfolded = u64::from(width.div_ceil(8) + 1) * u64::from(height);
    let (mut data, mut bits, mut held) = (vec![0x78, 0xDA], 0_u32, 0_u32);
    let mut put = |data: &mut Vec<u8>, code: u32, length: u32| {
        for bit in 0..length {
            bits |= ((code >> bit) & 1) << held;
            held += 1;
            if held == 8 {
                data.push(bits as u8);
                (bits, held) = (0, 0);
            }
        }
    };
    // One last block with fixed codes (all given in the order of their bits): a zero, then lengths of
    // 258 (code 285, 11000101) at distance 1 (00000).
    put(&mut data, 0b011, 3);
    put(&mut data, 0b0000_1100, 8);
    for _ in 0..unfolded / 258 {
        put(&mut data, 0b1010_0011, 8);
        put(&mut data, 0, 5);
    }
    put(&mut data, 0, 7);
    put(&mut data, 0, 7);
    let mut file = b"\x89PNG\r\n\x1A\n".to_vec();
    file.extend(chunk(b"IHDR", &header));
    file.extend(chunk(b"IDAT", &data));
    file.extend(chunk(b"IEND", &[]));
    file
}

#[test]
fn bombs_are_refused_by_their_header() {
    let bomb = png_bomb(20_000, 20_000);
    assert!(bomb.len() < 500_000, "a bomb is small: {}", bomb.len());
    let small = jpeg(&noise(16, 16));
    let mut bmp = encoded(&noise(16, 16), ImageFormat::Bmp);
    bmp[18..26].copy_from_slice(&[0, 0x80, 0, 0, 0, 0x80, 0, 0]);
    for (file, width, height) in [
        (bomb, 20_000, 20_000),
        (png_bomb(1, 100_000), 1, 100_000),
        (with_frame(small.clone(), 0xC0, 8000, 8000), 8000, 8000),
        (
            with_frame(small.clone(), 0xC0, 65_535, 65_535),
            65_535,
            65_535,
        ),
        (with_frame(small.clone(), 0xC0, 9000, 10), 9000, 10),
        // All coefficients of a progressive one are kept until the end: 180 MB.
        (with_frame(small.clone(), 0xC2, 5000, 4000), 5000, 4000),
        (bmp, 32_768, 32_768),
    ] {
        match examine(&file) {
            Err(Unreadable::TooManyPixels {
                width: w,
                height: h,
                ..
            }) => assert_eq!((w, h), (width, height)),
            other => panic!("{width} x {height}: {other:?}"),
        }
    }
    // The same size in one pass is admitted, and then found to be cut off.
    let baseline = examine(&with_frame(small, 0xC0, 5000, 4000));
    assert!(
        matches!(baseline, Err(Unreadable::Damaged(_))),
        "{baseline:?}"
    );
}

#[test]
fn a_file_is_measured_before_it_is_looked_at() {
    let limits = Limits {
        max_bytes: 1000,
        ..Limits::default()
    };
    let refused = faces().examine(&portrait_file(), &limits, &Criteria::default());
    assert_eq!(
        refused.unwrap_err(),
        Unreadable::TooLarge {
            bytes: portrait_file().len(),
            max_bytes: 1000
        }
    );
    let huge = vec![0; Limits::default().max_bytes + 1];
    assert!(matches!(examine(&huge), Err(Unreadable::TooLarge { .. })));
}

#[test]
fn memory_is_bounded_by_depth_as_well() {
    let deep = DynamicImage::from(noise(300, 300)).into_rgba16();
    let mut file = std::io::Cursor::new(Vec::new());
    deep.write_to(&mut file, ImageFormat::Png).unwrap();
    let file = file.into_inner();
    let limits = Limits {
        max_alloc_bytes: 900_000,
        ..Limits::default()
    };
    let refused = faces().examine(&file, &limits, &Criteria::default());
    assert!(
        matches!(refused, Err(Unreadable::TooManyPixels { .. })),
        "eight bytes a pixel and three for the copy: {refused:?}"
    );
    assert_eq!(examine(&file).unwrap().findings.width, 300);
}

#[test]
fn what_is_no_picture_or_another_one_is_named() {
    for file in [
        b"".as_slice(),
        b"Dear Sir or Madam",
        b"\xFF\xD8",
        b"%PDF-1.7",
        b"<svg/>",
    ] {
        assert_eq!(examine(file).unwrap_err(), Unreadable::NotAPicture);
    }
    for (file, format) in [
        (b"GIF89a\x01\0\x01\0".as_slice(), "GIF"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "WebP"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"\0\0\0\x1Cftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x1Cftypavif\0\0\0\0", "AVIF"),
    ] {
        let refused = examine(file).unwrap_err();
        assert_eq!(refused, Unreadable::UnsupportedFormat { format });
        assert!(refused.to_string().contains("Send it as JPEG"));
        assert_eq!(
            (refused.senselink_code(), refused.hongtu_code()),
            (30005, 121_021)
        );
    }
}

#[test]
fn a_truncated_picture_is_refused() {
    let picture = portrait();
    for (name, file) in [
        ("JPEG", portrait_file()),
        ("PNG", encoded(&picture, ImageFormat::Png)),
        ("BMP", encoded(&picture, ImageFormat::Bmp)),
    ] {
        assert!(examine(&file).is_ok(), "{name}");
        for tenths in 1..10 {
            let cut = examine(&file[..file.len() * tenths / 10]);
            assert!(
                matches!(cut, Err(Unreadable::Damaged(_))),
                "{name} cut at {tenths}/10: {:?}",
                cut.map(|examined| examined.findings)
            );
        }
    }
}

#[test]
fn a_jpeg_with_foreign_bytes_inside_is_refused() {
    // Bytes that still are a stream of codes only smear the picture, and no decoder can tell: whether
    // it shows a face is then the question.
    let file = portrait_file();
    for at in (2_000..34_000).step_by(2_000) {
        let mut marked = file.clone();
        marked[at..at + 4].copy_from_slice(&[0xFF, 0xC9, 0xFF, 0xC9]);
        assert!(
            matches!(examine(&marked), Err(Unreadable::Damaged(_))),
            "at {at}"
        );
    }
}

#[test]
fn whatever_is_changed_in_a_file_there_is_an_answer() {
    let picture = crate::pictures::resized(&portrait(), 64, 64);
    let mut state = 7_u32;
    let mut next = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Bmp] {
        let file = encoded(&picture, format);
        for _ in 0..60 {
            let mut changed = file.clone();
            for _ in 0..=next(4) {
                let at = next(changed.len());
                changed[at] = next(256) as u8;
            }
            // Either is fine; what is not is a panic, or work without end.
            match examine(&changed) {
                Ok(examined) => assert!(!examined.accepted(), "64 pixels are too few"),
                Err(unreadable) => assert!(!unreadable.to_string().is_empty()),
            }
        }
    }
}

/// A JPEG with a block of EXIF: the orientation, and a text that must not get out.
fn with_exif(picture: &RgbImage, orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x02\0".to_vec();
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    exif.extend([0x0E, 0x01, 2, 0, 12, 0, 0, 0, 38, 0, 0, 0]);
    exif.extend([0; 4]);
    exif.extend(b"SECRET PLACE");
    let mut file = vec![0xFF, 0xD8, 0xFF, 0xE1];
    file.extend((exif.len() as u16 + 2).to_be_bytes());
    file.extend(exif);
    file.extend(&jpeg(picture)[2..]);
    file
}

/// As a camera stores it that was held in this way. EXIF says on which side of the picture as one
/// looks at it the first stored row lies, and on which the first stored column.
fn stored(upright: &RgbImage, orientation: u8) -> RgbImage {
    let (w, h) = upright.dimensions();
    let (width, height) = if orientation < 5 { (w, h) } else { (h, w) };
    RgbImage::from_fn(width, height, |column, row| {
        let (x, y) = match orientation {
            1 => (column, row),                 // top, left
            2 => (w - 1 - column, row),         // top, right
            3 => (w - 1 - column, h - 1 - row), // bottom, right
            4 => (column, h - 1 - row),         // bottom, left
            5 => (row, column),                 // left, top
            6 => (w - 1 - row, column),         // right, top
            7 => (w - 1 - row, h - 1 - column), // right, bottom
            8 => (row, h - 1 - column),         // left, bottom
            other => panic!("there is no orientation {other}"),
        };
        *upright.get_pixel(x, y)
    })
}

#[test]
fn every_orientation_comes_out_upright() {
    let upright = RgbImage::from_fn(48, 32, |x, y| match (x < 24, y < 16) {
        (true, true) => Rgb([220, 30, 30]),
        (false, true) => Rgb([30, 220, 30]),
        (true, false) => Rgb([30, 30, 220]),
        (false, false) => Rgb([220, 220, 220]),
    });
    for orientation in 1..=8 {
        let examined = examine(&with_exif(&stored(&upright, orientation), orientation)).unwrap();
        assert_eq!(
            (examined.findings.width, examined.findings.height),
            (48, 32)
        );
        let original = examined.original();
        assert_eq!((original.width, original.height), (48, 32), "{orientation}");
        let seen = decoded(&original.bytes);
        for (x, y) in [(8, 8), (40, 8), (8, 24), (40, 24)] {
            let (seen, wanted) = (seen.get_pixel(x, y), upright.get_pixel(x, y));
            let near = seen.0.iter().zip(wanted.0).all(|(a, b)| a.abs_diff(b) < 40);
            assert!(near, "orientation {orientation} at {x}, {y}: {seen:?}");
        }
    }
}

#[test]
fn a_portrait_taken_sideways_is_accepted() {
    let sideways = with_exif(&stored(&portrait(), 6), 6);
    let examined = examine(&sideways).unwrap();
    assert!(examined.accepted(), "{:?}", examined.faults);
    assert_eq!(examined.findings.faces, 1);
}

#[test]
fn nothing_but_pixels_goes_on() {
    let mut polyglot = with_exif(&portrait(), 1);
    polyglot.extend(b"PK\x03\x04 SECRET PLACE <script>alert(1)</script>");
    let mut png = encoded(&portrait(), ImageFormat::Png);
    let end = png.len() - 12;
    png.splice(end..end, chunk(b"tEXt", b"Comment\0SECRET PLACE"));
    for file in [polyglot, png] {
        let examined = examine(&file).unwrap();
        let terminal = examined.variant(Variant::Terminal).unwrap();
        let push = examined.variant(Variant::Push).unwrap();
        for jpeg in [examined.original(), &terminal, &push] {
            for secret in [b"SECRET".as_slice(), b"Exif", b"script", b"PK\x03\x04"] {
                assert!(!jpeg.bytes.windows(secret.len()).any(|w| w == secret));
            }
            assert_eq!(jpeg.bytes[jpeg.bytes.len() - 2..], [0xFF, 0xD9]);
        }
    }
}

#[test]
fn what_is_transparent_is_white() {
    let mut picture = RgbaImage::from_pixel(40, 40, Rgba([10, 200, 10, 0]));
    picture.put_pixel(0, 0, Rgba([10, 200, 10, 255]));
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png).unwrap();
    let examined = examine(&file.into_inner()).unwrap();
    let seen = decoded(&examined.original().bytes);
    assert!(seen.get_pixel(30, 30).0.iter().all(|value| *value > 245));
}

#[test]
fn grey_pictures_are_taken() {
    for grey in [
        DynamicImage::from(portrait()).into_luma8().into(),
        DynamicImage::from(DynamicImage::from(portrait()).into_luma16()),
    ] {
        let mut file = std::io::Cursor::new(Vec::new());
        grey.write_to(&mut file, ImageFormat::Png).unwrap();
        assert_eq!(examine(&file.into_inner()).unwrap().findings.faces, 1);
    }
    let mut file = std::io::Cursor::new(Vec::new());
    let grey = DynamicImage::from(DynamicImage::from(portrait()).into_luma8());
    grey.write_to(&mut file, ImageFormat::Jpeg).unwrap();
    assert_eq!(examine(&file.into_inner()).unwrap().findings.faces, 1);
}
