-- What surrounds a statement: settings of functions, a function before every request, PostGIS' stand-in.
create function in_a_hurry() returns text language sql stable set statement_timeout = '200ms' as
  $$ select pg_sleep(5); select 'late' $$;
create function alone() returns text language sql volatile set default_transaction_isolation = 'serializable' as
  $$ select current_setting('transaction_isolation') $$;
create function check_caller() returns void language plpgsql as $$
declare wanted text := current_setting('request.headers', true)::json ->> 'x-wanted';
begin
  if wanted = 'nobody' then raise sqlstate 'PT403' using message = 'not you', hint = 'ask somebody'; end if;
  if wanted = 'row' then insert into loose values ('before the request', 7); end if;
  if wanted = 'status' then perform set_config('response.status', '203', true); end if;
  if wanted = 'header' then perform set_config('response.headers', '[{"X-Checked": "yes"}]', true); end if;
end $$;
create function own_root() returns json language sql stable as $$ select '{"welcome": true}'::json $$;
create function st_asgeojson(anyelement) returns text language sql immutable as
  $$ select json_build_object('type', 'Feature', 'properties', to_json($1))::text $$;
create function whole_answer() returns void language plpgsql as $$ begin
  raise sqlstate 'PGRST' using message = '{"code": "own", "message": "said so", "details": "d", "hint": "h"}',
    detail = '{"status": 419, "headers": {"X-Own": "1"}}'; end $$;
create function half_answer() returns void language plpgsql as $$ begin
  raise sqlstate 'PGRST' using message = 'no JSON', detail = '{"status": 419, "headers": {}}'; end $$;
create table "fee$" (id integer primary key, "a$b" integer);
insert into "fee$" values (1, 10), (2, 20);
create function size_of_xml(xml) returns integer language sql immutable as 'select length($1::text)';
