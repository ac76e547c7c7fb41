-- Functions to call, in every form.
create function add(a integer, b integer default 10) returns integer language sql immutable as 'select a + b';
create function greet(name text) returns text language sql stable as $$ select 'Hello ' || name $$;
create function nothing() returns void language sql as '';
create function who() returns text language sql stable as
  $$ select current_user || ':' || coalesce(nullif(current_setting('request.jwt.claims')::jsonb ->> 'sub', ''), '-') $$;
create function numbers(upto integer) returns setof integer language sql immutable as 'select generate_series(1, upto)';
create function no_text() returns text language sql immutable as 'select null::text';
create function pick(of integer) returns books language sql stable as 'select books from books where id = of';
create function by_author(of integer) returns setof books language sql stable as
  'select * from books where author_id = of order by id';
create function squares(upto integer) returns table (n integer, square integer) language sql immutable as
  'select i, i * i from generate_series(1, upto) i';
create function both_out(a integer, out double integer, out half numeric) language sql immutable as 'select a * 2, a / 2.0';
create function joined(variadic parts text[]) returns text language sql immutable as $$ select array_to_string(parts, '+') $$;
create function whole(json) returns json language sql immutable as 'select $1';
create function upper_text(text) returns text language sql immutable as 'select upper($1)';
create function twice_bytes(bytea) returns integer language sql immutable as 'select length($1) * 2';
create function over(a integer) returns text language sql immutable as $$ select 'int' $$;
create function over(a integer, b integer) returns text language sql immutable as $$ select 'two ints' $$;
create function over(c text) returns text language sql immutable as $$ select 'text' $$;
create function vague(a integer) returns text language sql immutable as $$ select 'int' $$;
create function vague(a text) returns text language sql immutable as $$ select 'text' $$;
create function add_word(word text, meaning text) returns setof words language sql volatile as
  'insert into words values (word, meaning) returning *';
create function sneaky() returns integer language sql stable as 'select 1';
create function write_while_stable() returns integer language plpgsql stable as
  $$ begin insert into loose values ('never'); return 1; end $$;
create function raise_plain() returns void language plpgsql as $$ begin raise 'plainly'; end $$;
create function raise_teapot() returns void language plpgsql as
  $$ begin raise sqlstate 'PT418' using message = 'teapot', detail = 'short', hint = 'stout'; end $$;
create function raise_whole() returns void language plpgsql as $$ begin raise sqlstate 'PGRST' using
  message = '{"code": "X1", "message": "own", "details": "d", "hint": "h"}',
  detail = '{"status": 402, "headers": {"X-Own": "yes"}}'; end $$;
create function raise_badly() returns void language plpgsql as $$ begin raise sqlstate 'PGRST' using message = 'no json'; end $$;
create function raise_state(state text) returns void language plpgsql as
  $$ begin raise exception using errcode = state, message = 'as asked'; end $$;
create function with_headers() returns integer language plpgsql as $$ begin
  perform set_config('response.headers', '[{"X-Made": "by hand"}, {"Cache-Control": "no-store"}]', true); return 1; end $$;
create function with_status() returns integer language plpgsql as
  $$ begin perform set_config('response.status', '202', true); return 2; end $$;
create function bad_headers() returns integer language plpgsql as
  $$ begin perform set_config('response.headers', 'nonsense', true); return 1; end $$;
create function bad_status() returns integer language plpgsql as
  $$ begin perform set_config('response.status', 'nonsense', true); return 1; end $$;
create function a_trigger() returns trigger language plpgsql as $$ begin return new; end $$;
create procedure a_procedure() language sql as '';
create function my_notes() returns setof notes language sql volatile as 'update notes set rank = 9 returning *';
create function mistaken() returns integer language plpgsql stable as $$ begin return (select r.idd from books r); end $$;
create function told_method() returns text language sql stable as $$ select current_setting('request.method', true) $$;
create function told_path() returns text language sql stable as $$ select current_setting('request.path', true) $$;
create function told_header(name text) returns text language sql stable as
  $$ select current_setting('request.headers', true)::json ->> name $$;
create function told_cookie(name text) returns text language sql stable as
  $$ select current_setting('request.cookies', true)::json ->> name $$;
create function told_claim(name text) returns text language sql stable as
  $$ select current_setting('request.jwt.claims', true)::json ->> name $$;
create function path_of_search() returns text language sql stable as $$ select current_setting('search_path') $$;
create function zone() returns text language sql stable as $$ select current_setting('timezone') $$;
create function shelf_of(place json) returns text language sql immutable as $$ select place ->> 'room' $$;
create function sum_of(numbers integer[]) returns bigint language sql immutable as 'select sum(n) from unnest(numbers) n';
create function kind_of(what form) returns form language sql immutable as 'select what';
revoke execute on function add_word(text, text) from public;
grant execute on function add_word(text, text) to authenticated;
create function archive.here() returns text language sql stable as $$ select 'archive' $$;
