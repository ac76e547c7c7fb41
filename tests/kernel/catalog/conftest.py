"""A database with one of everything that a catalog tells of."""

from collections.abc import AsyncIterator

import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connect, Connection, Database, Login

SCHEMA = """
create type mood as enum ('wild', 'calm');
create domain positive as integer check (value > 0);
create domain very_positive as positive check (value > 9);
create table parents (
  id integer generated always as identity primary key,
  code varchar(8) not null unique default 'x',
  feeling mood,
  amount very_positive,
  twice integer generated always as (amount * 2) stored,
  unique (code, feeling)
);
comment on table parents is 'Who has children';
comment on column parents.code is 'told by';
create table children (
  parent integer primary key references parents,
  code varchar(8) constraint by_code references parents (code)
);
create view shown as select id, code from parents;
create view counted as select count(*) as n from parents;
create materialized view kept as select 1 as one;
create table parts (id integer primary key) partition by range (id);
create table parts_low partition of parts for values from (0) to (10);
create function plain(a integer, b text default 'x', variadic c integer[] default '{}') returns integer
  language sql stable as 'select 1';
create function table_of(out x integer, out y text) returns setof record language sql as 'select 1, null::text';
create function parent_of(integer) returns parents language sql immutable as 'select null::parents';
create function nothing() returns void language sql set statement_timeout = '1s' as '';
create function triggered() returns trigger language plpgsql as 'begin return null; end';
create schema mine;
create table mine.things (id integer);
"""


@pytest.fixture
async def admin(connector: Connect) -> AsyncIterator[Connection]:
    connection = await connector(Login.ADMIN)
    await connection.execute(SCHEMA)
    yield connection
    await connection.close()


@pytest.fixture
async def catalog(database: Database, admin: Connection) -> Catalog:
    catalog = Catalog(database)
    await catalog.refresh()
    return catalog
