-- The rows that no case changes.
insert into countries values (1, 'Norway', 'NO'), (2, 'Peru', 'PE'), (3, 'Chad', 'TD');
insert into authors values (1, 'Ann', 1815, 1), (2, 'Bob', 1950, 2), (3, 'Cleo', null, null), (4, 'Dan', 1970, 1);
insert into profiles values (1, 'wrote programs'), (3, 'unknown');
insert into books values
  (1, 'Ada', 1843, 10.00, 100, 'paper', 1, 2), (2, 'Bees', 1999, 20.50, 200, 'sound', 1, null),
  (3, 'Cold Sea', 2005, 5.25, 300, 'paper', 2, 1), (4, 'Dust', 2011, null, null, 'screen', 3, 3),
  (5, 'Elms, and (other) trees', 2020, 7.00, 50, null, null, null);
insert into genres values (1, 'Science'), (2, 'Nature'), (3, 'Poetry');
insert into book_genres values (1, 1, 5), (2, 1, 1), (2, 2, 2), (3, 2, 3), (5, 2, 4);
insert into categories values (1, 'All', null), (2, 'Arts', 1), (3, 'Maths', 1), (4, 'Algebra', 3);
insert into shelves values ('A', 1, 'oak'), ('A', 2, 'pine'), ('B', 1, 'oak');
insert into copies values (1, 1, 'A', 1), (2, 1, 'A', 2), (3, 2, 'B', 1), (4, 3, null, null);
insert into loans values
  (1, '00000000-0000-4000-8000-000000000001', 1, 'first'), (2, '00000000-0000-4000-8000-000000000001', 2, 'second'),
  (3, '00000000-0000-4000-8000-000000000002', 1, 'third');
insert into things values
  (1, 1, 'alpha', true, '{a,b}', '{1,2}', '[1,5)', 'paper', 10,
   '{"k": "v", "n": 1, "list": [10, 20], "deep": {"x": true}}', '{"r": 1}', to_tsvector('english', 'fat cats ate rats'),
   '2024-01-01 00:00:00+00', 1.5, '00000000-0000-0000-0000-000000000001', '(1,2)', '2024-01-01'),
  (2, 2, 'beta', false, '{b,c}', '{3}', '[5,10)', 'sound', 50, '{"k": "w", "n": 2, "list": []}', '[1, 2]',
   to_tsvector('english', 'impossible things are fun'), '2024-06-01 00:00:00+00', 2.5,
   '00000000-0000-0000-0000-000000000002', '(3,4)', '2024-06-01'),
  (3, 3, 'Alphabet', null, '{}', '{}', '[20,30)', 'screen', 100, '{"k": null}', '"s"', to_tsvector('english', ''),
   '2025-01-01 12:30:00+00', null, '00000000-0000-0000-0000-000000000003', null, null),
  (5, 5, 'a*b%c_d', false, '{a,"x y","p,q"}', '{5,6}', '(,1)', 'paper', 0, '{"k": "v", "n": 10}', null,
   to_tsvector('simple', 'plain words'), '2026-01-01 00:00:00+00', 5, '00000000-0000-0000-0000-000000000005', '(5,6)',
   '2026-01-01');
insert into things (id, t, flag) values (4, 'with, comma (and "quotes")', true);
insert into "odd names" values (1, 'ab', 'cd', 'ef', 7, 'gh', 'ij', 'kl', 'sel');
insert into paints values (1, 16711680), (2, 255);
insert into archive.books values (1, 'Old'), (2, 'Older');
insert into archive.boxes values (1, 'Box', 1, 1);
insert into vault values (1, 100);
insert into showcase values (1, 'cup');
analyze;
