-- Events are carried as the text they were written as: jsonb would take each apart and put it together
-- again twice on the way. Readers and writers of the previous version go on working: both cast.
do $$
declare s text;
begin
  foreach s in array array['directory', 'hub', 'attendance', 'sync'] loop
    execute format('alter table %I.outbox alter column data type json using data::json', s);
  end loop;
end $$;
