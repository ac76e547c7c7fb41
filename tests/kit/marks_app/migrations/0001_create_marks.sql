create schema marks;
create table marks.marks (id bigint generated always as identity primary key, mark text not null, worker int not null);
