-- The rows that cases change, as every case finds them.
delete from notes; delete from pairs; delete from words; delete from loose; delete from items; delete from lists; delete from diary;
delete from archive.books where id > 2; delete from book_genres where weight = 99; delete from paints where id > 2;
insert into notes (id, title, body, done, rank, tags, extra) values
  (1, 'one', 'first', false, 1, '{x}', '{"k": 1}'), (2, 'two', 'second', true, 2, '{x,y}', '{}'), (3, 'three', null, false, null, null, null);
select setval('notes_id_seq', 3);
insert into pairs values (1, 1, 'p'), (1, 2, 'q');
insert into words values ('sun', 'star', 1), ('moon', 'stone', 2);
insert into loose values ('l', 1), ('l', 1), ('m', 2);
insert into lists values (1, 'food'), (2, 'tools');
insert into items values (1, 'bread', 1), (2, 'salt', 1), (3, 'saw', 2);
insert into diary values (1, '00000000-0000-4000-8000-000000000001', 'mine'), (2, '00000000-0000-4000-8000-000000000002', 'hers');
