-- A table tells its changes while it has the triggers that call this function; nothing else says so, and a table that is
-- renamed, dropped or restored takes them along. Each statement becomes one insert: a message for every row it touched,
-- in the channel `table:<schema>.<table>`. What stands in the log is the whole row and is for no client: who is told what,
-- the policies decide when it is delivered. The relation's number keeps a table from answering for an earlier one of its
-- name. Old and new rows of an update are in the same order in both tables (they are put there together), so a changed
-- key is no riddle.
create function realtime.note_change() returns trigger language plpgsql security definer
  set search_path = pg_catalog, pg_temp set timezone = 'UTC' set extra_float_digits = 1 set bytea_output = hex
  set intervalstyle = postgres as $$
declare
  channel text := 'table:' || tg_table_schema || '.' || tg_table_name;
begin
  if tg_table_schema ~ '[.:]' or tg_table_name ~ '[.:]' then
    return null;  -- renamed to what no channel can be called
  end if;
  case tg_op
    when 'INSERT' then
      insert into realtime.messages (event_name, channel_name, payload)
        select tg_op, channel, jsonb_build_object('relation', tg_relid::bigint, 'new', to_jsonb(n.*)) from new n;
    when 'UPDATE' then
      insert into realtime.messages (event_name, channel_name, payload)
        select tg_op, channel, jsonb_build_object('relation', tg_relid::bigint, 'old', o.told, 'new', n.told)
        from (select row_number() over () as nth, to_jsonb(o.*) as told from old o) o
        join (select row_number() over () as nth, to_jsonb(n.*) as told from new n) n using (nth)
        order by nth;
    when 'DELETE' then
      insert into realtime.messages (event_name, channel_name, payload)
        select tg_op, channel, jsonb_build_object('relation', tg_relid::bigint, 'old', to_jsonb(o.*)) from old o;
    else
      insert into realtime.messages (event_name, channel_name, payload)
        values (tg_op, channel, jsonb_build_object('relation', tg_relid::bigint));
  end case;
  return null;
end
$$;
grant execute on function realtime.note_change() to project_admin;

-- Only the function above says what happened to a row: it alone inserts as the owner and without a channel's id.
create function realtime.refuse_forged_change() returns trigger language plpgsql as $$
begin
  if new.channel_id is not null
    or current_user <> (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
    raise insufficient_privilege using message = 'Channels of tables carry their changes and nothing else';
  end if;
  return new;
end
$$;
create trigger refuse_forged_change before insert or update of channel_name on realtime.messages
  for each row when (new.channel_name like 'table:%') execute function realtime.refuse_forged_change();

-- Everything that decides who may be told of a table's changes, as it is now; null for a table that does not tell them.
-- `roles` are those that are asked about. Expressions are written with every name qualified, since the search path here
-- is empty. `relations` are the table and whatever its policies read, and their policies in turn.
create function realtime.describe_table(schema text, name text, roles text[]) returns json language sql stable
  set search_path = pg_catalog, pg_temp as $$
  with recursive root as (
    select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = schema and c.relname = name and c.relkind in ('r', 'p') and exists (
      select from pg_trigger t
      where t.tgrelid = c.oid and t.tgfoid = 'realtime.note_change()'::regprocedure and t.tgenabled <> 'D')
  ), reached (oid) as (
    select oid from root
    union
    select d.refobjid from reached
      join pg_policy p on p.polrelid = reached.oid
      join pg_depend d on d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_class'::regclass
  )
  select json_build_object(
    'oid', root.oid::bigint,
    'schema', schema,
    'name', name,
    'tellsOldRows', root.relreplident = 'f',
    'openTo', array(select r from unnest(roles) r where has_schema_privilege(r, root.relnamespace, 'usage')),
    'key', array(
      select a.attname from pg_index i cross join unnest(i.indkey::smallint[]) with ordinality k (attnum, nth)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where i.indrelid = root.oid and i.indisprimary order by k.nth),
    'columns', (
      select coalesce(json_agg(json_build_object(
        'name', a.attname,
        'type', format_type(a.atttypid, -1),
        'formula', case a.attgenerated when 'v' then pg_get_expr(d.adbin, d.adrelid) end,
        'readers', array(select r from unnest(roles) r where has_column_privilege(r, root.oid, a.attnum, 'select'))
      ) order by a.attnum), '[]')
      from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = root.oid and a.attnum > 0 and not a.attisdropped),
    'enumerations', array(
      select n.nspname || '.' || t.typname from pg_type t join pg_namespace n on n.oid = t.typnamespace
      where t.typtype = 'e'),
    'relations', (
      select json_agg(json_build_object(
        'schema', n.nspname,
        'name', c.relname,
        'plain', c.relkind in ('r', 'p'),
        'itself', c.oid = root.oid,
        'guarded', array(
          select r.rolname from pg_roles r
          where r.rolname = any(roles) and c.relrowsecurity and not r.rolbypassrls and not r.rolsuper
            and (c.relforcerowsecurity or not pg_has_role(r.oid, c.relowner, 'usage'))),
        'policies', (
          select coalesce(json_agg(json_build_object(
            'restrictive', not p.polpermissive,
            'roles', array(
              select r from unnest(roles) r
              where 0 = any(p.polroles)
                or exists (select from unnest(p.polroles) granted where granted <> 0 and pg_has_role(r, granted, 'usage'))),
            'expression', pg_get_expr(p.polqual, p.polrelid),
            'statement', 'select ' || pg_get_expr(p.polqual, p.polrelid)
          ) order by p.polname), '[]')
          from pg_policy p where p.polrelid = c.oid and p.polcmd in ('r', '*') and p.polqual is not null)))
      from reached join pg_class c using (oid) join pg_namespace n on n.oid = c.relnamespace)
  ) from root
$$;

-- What each of several groups may see of rows: a group's statement takes the rows as $1 and answers with one element for
-- each. A row on which a policy fails is one that SELECT could not show either. Every group has an execution of its own,
-- because what a statement finds out once (`(select auth.uid())`) it keeps for all its rows.
create function realtime.judge(claims text[], statements text[], changes jsonb) returns jsonb[] language plpgsql as $$
declare
  verdict  jsonb;
  alone    jsonb;
  change   jsonb;
  verdicts jsonb[] := '{}';
begin
  for nth in 1 .. cardinality(claims) loop
    perform set_config('request.jwt.claims', claims[nth], true);
    begin
      execute statements[nth] into verdict using changes;
    exception when others then
      verdict := '[]';
      for change in select value from jsonb_array_elements(changes) loop
        begin
          execute statements[nth] into alone using jsonb_build_array(change);
        exception when others then
          alone := '[[null, null]]';
        end;
        verdict := verdict || alone;
      end loop;
    end;
    verdicts := verdicts || verdict;
  end loop;
  return verdicts;
end
$$;
revoke execute on function realtime.describe_table(text, text, text[]) from public;
