-- Media types of the database's own: domains named like them, and functions and aggregates that give them.
create domain "text/html" as text;
create domain "text/plain" as text;
create domain "image/x-dot" as bytea;
create domain "text/tab-separated-values" as text;
create domain "application/vnd.titles" as text;
create domain "application/vnd.hues+json" as jsonb;
create domain "text/csv" as text;
create domain "application/vnd.pgrst.object" as text;
create domain "*/*" as text;

create function page(name text) returns "text/html" language sql stable as $$ select '<p>' || name || '</p>' $$;
create function plainly() returns "text/plain" language sql immutable as $$ select 'as it is' $$;
create function dot() returns "image/x-dot" language sql immutable as $$ select '\x00ff0a'::bytea $$;
create function no_page() returns "text/html" language sql stable as $$ select null::text $$;
create function pages() returns setof "text/html" language sql stable as $$ values ('<p>1</p>'), ('<p>2</p>') $$;
create function written_page() returns "text/html" language sql volatile as
  $$ insert into loose values ('by a page', 9); select '<p>done</p>' $$;
create function twofold() returns "text/html" language sql stable as $$ select '<p>none</p>' $$;
create function twofold(of integer) returns setof books language sql stable as 'select * from books where id = of';
create function any_of_them() returns "*/*" language plpgsql stable as $$
declare accepted text := current_setting('request.headers', true)::json ->> 'accept';
begin
  if accepted = 'text/csv' then raise sqlstate 'PT406' using message = 'no tables here'; end if;
  if accepted like 'app/%' then
    perform set_config('response.headers', json_build_array(json_build_object('Content-Type', accepted))::text, true);
  end if;
  return 'any';
end $$;

create function tab_step(text, anyelement) returns "text/tab-separated-values" language sql immutable as
  $$ select $1 || array_to_string(array(select value from json_each_text(row_to_json($2))), e'\t') || e'\n' $$;
create aggregate tabbed(anyelement) (initcond = '', stype = "text/tab-separated-values", sfunc = tab_step);
create function genre_step(text, genres) returns "application/vnd.titles" language sql immutable as
  $$ select $1 || $2.id || ' ' || $2.name || '.' $$;
create aggregate genre_names(genres) (initcond = '', stype = "application/vnd.titles", sfunc = genre_step);
create function bom_step(text, genres) returns "text/csv" language sql immutable as $$ select $1 || $2.id || e'\n' $$;
create function bom_end("text/csv") returns "text/csv" language sql stable as $$
  select set_config('response.headers', '[{"Content-Disposition": "attachment"}]', true);
  select 'id' || e'\n' || $1 $$;
create aggregate bom_csv(genres) (initcond = '', stype = "text/csv", sfunc = bom_step, finalfunc = bom_end);
create function hue_step(jsonb, paints) returns "application/vnd.hues+json" language sql immutable as
  $$ select $1 || to_jsonb($2.shade::integer) $$;
create aggregate hues(paints) (initcond = '[]', stype = "application/vnd.hues+json", sfunc = hue_step);
create function list_step(text, lists) returns "application/vnd.titles" language sql immutable as
  $$ select $1 || $2.name || ';' $$;
create aggregate list_names(lists) (initcond = '', stype = "application/vnd.titles", sfunc = list_step);
create function country_step(text, countries) returns "*/*" language sql immutable as $$ select $1 || $2.code $$;
create aggregate codes(countries) (initcond = '', stype = "*/*", sfunc = country_step);
create function some_genres() returns setof genres language sql stable as 'select * from genres where id < 3 order by id';
create function one_genre() returns genres language sql stable as 'select genres from genres where id = 3';
create function item_step(text, items) returns "application/vnd.pgrst.object" language sql immutable as $$ select 'never' $$;
create aggregate never(items) (initcond = '', stype = "application/vnd.pgrst.object", sfunc = item_step);
