-- The peer's one-round-trip functions: they take the role and the claims for their own transaction, then answer JSON.
create function one_trip_todo_by_id(role text, claims text, wanted bigint) returns text
language plpgsql volatile as $$
begin
  perform set_config('role', role, true), set_config('request.jwt.claims', claims, true);
  return (
    select coalesce(json_agg(t), '[]')::text
    from (select id, owner, title, body, done, priority, created_at from public.todos where id = wanted) t
  );
end $$;

create function one_trip_ten_todos(role text, claims text) returns text
language plpgsql volatile as $$
begin
  perform set_config('role', role, true), set_config('request.jwt.claims', claims, true);
  return (
    select coalesce(json_agg(t), '[]')::text
    from (select id, owner, title, body, done, priority, created_at from public.todos order by id limit 10) t
  );
end $$;

create function one_trip_ten_lists(role text, claims text) returns text
language plpgsql volatile as $$
begin
  perform set_config('role', role, true), set_config('request.jwt.claims', claims, true);
  return (
    select coalesce(json_agg(t), '[]')::text
    from (
      select l.id, l.title, e.entries
      from public.lists l
      left join lateral (
        select coalesce(json_agg(x), '[]') as entries
        from (
          select id, title, body, done, priority from public.entries where list_id = l.id order by id
        ) x
      ) e on true
      order by l.id
      limit 10
    ) t
  );
end $$;

create function one_trip_add_todo(
  role text, claims text, owner uuid, title text, body text, done boolean, priority integer
) returns text
language plpgsql volatile as $$
declare
  answer text;
begin
  perform set_config('role', role, true), set_config('request.jwt.claims', claims, true);
  with added as (
    insert into public.new_todos (owner, title, body, done, priority)
    values ($3, $4, $5, $6, $7)
    returning new_todos.*
  )
  select json_agg(added)::text into answer from added;
  return answer;
end $$;

grant execute on function one_trip_todo_by_id, one_trip_ten_todos, one_trip_ten_lists, one_trip_add_todo to authenticated;
