create schema realtime;

-- A channel's name matches the pattern if it is equal, or by LIKE: `order:%` stands for every order.
create table realtime.channels (
  id           uuid primary key default gen_random_uuid(),
  pattern      text not null unique,
  description  text,
  webhook_urls text[] not null default '{}',
  enabled      boolean not null default true,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz
);

create function realtime.stamp_channel() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end
$$;
create trigger stamp_channel before insert or update on realtime.channels
  for each row execute function realtime.stamp_channel();

-- What was published. `sequence` is the order in which messages came, `place` the order in which they are told, over
-- all channels, and `offset` the same within one channel. Both are null until realtime.sequence() has seen the message
-- committed, and have no gaps.
create table realtime.messages (
  id                 uuid primary key default gen_random_uuid(),
  sequence           bigint generated always as identity,
  place              bigint,
  "offset"           bigint,
  event_name         text not null,
  channel_id         uuid references realtime.channels (id) on delete set null,
  channel_name       text not null,
  payload            jsonb not null default '{}' check (jsonb_typeof(payload) = 'object'),
  sender_type        text not null default 'system' check (sender_type in ('system', 'user')),
  sender_id          text,
  ws_audience_count  integer not null default 0,
  wh_audience_count  integer not null default 0,
  wh_delivered_count integer not null default 0,
  created_at         timestamptz not null default now()
) with (fillfactor = 70);
create unique index messages_by_offset on realtime.messages (channel_name, "offset");
create unique index messages_by_place on realtime.messages (place);
create index messages_waiting on realtime.messages (sequence) where place is null;
create index messages_by_age on realtime.messages (created_at desc, sequence desc);
create index messages_by_channel on realtime.messages (channel_id);

-- How far the log has come, up to where it is no longer whole (`pruned`), and how far every channel in it has come.
-- The epoch says which count of offsets that is: in a copy of the database, and after a failover, it is another one, and
-- a client learns that its offset means nothing here.
create table realtime.log (
  one    boolean primary key default true check (one),
  epoch  text not null default left(replace(gen_random_uuid()::text, '-', ''), 12),
  home   text,
  place  bigint not null default 0,
  pruned bigint not null default 0
) with (fillfactor = 50);
insert into realtime.log default values;
create table realtime.heads (
  channel_name text primary key,
  "offset"     bigint not null
) with (fillfactor = 50);

-- What a client listens to, and from which place in the log on: so that one that was cut off goes on where it was, on
-- any node. By the SHA-256 of a secret that only the client knows.
create table realtime.sessions (
  id         bytea primary key,
  principal  text not null,
  channels   jsonb not null,
  changed_at timestamptz not null,
  left_at    timestamptz
);
create index sessions_by_leaving on realtime.sessions (left_at);
create index sessions_by_change on realtime.sessions (changed_at);

create table realtime.config (
  one            boolean primary key default true check (one),
  retention_days integer check (retention_days > 0)
);
insert into realtime.config default values;

create function realtime.channel_name() returns text language sql stable parallel safe as $$
  select nullif(current_setting('realtime.channel_name', true), '')
$$;

-- The enabled channel that a name belongs to: the one that is called so, or the longest pattern that matches it.
create function realtime.find_channel(name text) returns uuid language sql stable as $$
  select id from realtime.channels
  where enabled and (pattern = name or name like pattern)
  order by pattern = name desc, length(pattern) desc, pattern limit 1
$$;

-- Publish from any transaction: the message appears once that has committed. Null, and a warning, if no channel matches.
create function realtime.publish(channel text, event text, payload jsonb default '{}') returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  found uuid := realtime.find_channel(channel);
  made  uuid := gen_random_uuid();
begin
  if found is null then
    raise warning 'No enabled channel matches %', channel;
    return null;
  end if;
  insert into realtime.messages (id, event_name, channel_id, channel_name, payload)
    values (made, event, found, channel, coalesce(payload, '{}'));
  return made;
end
$$;

-- Several publishes of one role in one commit, each inserted under its own sender's claims, in their order. For each
-- message it says why it was refused, or null. A message is {id, claims, channel, channelId, event, payload,
-- senderType, senderId}. No RETURNING: who may publish need not be allowed to read.
create function realtime.add_messages(batch json) returns text[] language plpgsql as $$
declare
  message  json;
  refusals text[] := '{}';
begin
  perform set_config('realtime.rings', 'off', true);
  for message in select * from json_array_elements(batch) loop
    begin
      perform set_config('request.jwt.claims', message ->> 'claims', true),
              set_config('realtime.channel_name', message ->> 'channel', true);
      insert into realtime.messages (id, event_name, channel_id, channel_name, payload, sender_type, sender_id)
        values ((message ->> 'id')::uuid, message ->> 'event', (message ->> 'channelId')::uuid, message ->> 'channel',
                (message -> 'payload')::jsonb, message ->> 'senderType', message ->> 'senderId');
      refusals := refusals || null::text;
    exception
      when insufficient_privilege then refusals := refusals || 'forbidden'::text;
      when others then refusals := refusals || (sqlstate || ' ' || sqlerrm);
    end;
  end loop;
  return refusals;
end
$$;

-- Whether add_messages would take this message; nothing is left behind.
create function realtime.may_publish(message json) returns boolean language plpgsql as $$
begin
  begin
    if (realtime.add_messages(json_build_array(message)))[1] is not null then
      return false;
    end if;
    raise sqlstate 'HW000';
  exception
    when sqlstate 'HW000' then return true;
  end;
end
$$;

-- What is deleted takes its place along: from here on the log is not whole any more.
create function realtime.note_pruned() returns trigger language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
begin
  update realtime.log set pruned = greatest(pruned, (select max(place) from gone)) where exists (select from gone);
  return null;
end
$$;
create function realtime.note_truncated() returns trigger language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
begin
  update realtime.log set pruned = place;
  return null;
end
$$;
create trigger note_truncated after truncate on realtime.messages
  for each statement execute function realtime.note_truncated();
create trigger note_pruned after delete on realtime.messages referencing old table as gone
  for each statement execute function realtime.note_pruned();

-- Begins another epoch if the log is not where it was: another cluster, another database, another timeline.
create function realtime.settle() returns void language sql as $$
  update realtime.log
  set home = here.home, epoch = left(replace(gen_random_uuid()::text, '-', ''), 12)
  from (
    select concat_ws(':', c.system_identifier, p.timeline_id, d.oid) as home
    from pg_control_system() c, pg_control_checkpoint() p, pg_database d where d.datname = current_database()
  ) here
  where log.home is distinct from here.home
$$;

-- Gives committed messages their places, oldest first, and returns them. One at a time in the whole database: whoever
-- comes second waits, and sees what the first has done.
create function realtime.sequence(most integer) returns table (
  id uuid, channel_name text, channel_id uuid, place bigint, "offset" bigint, epoch text, event_name text,
  payload text, sender_type text, sender_id text, created_at timestamptz
) language plpgsql as $$
#variable_conflict use_column
begin
  perform pg_advisory_xact_lock(7130, 61);
  return query
    with waiting as materialized (
      select w.id, w.channel_name, row_number() over (order by w.sequence) as nth,
        row_number() over (partition by w.channel_name order by w.sequence) as nth_of_channel
      from (select m.id, m.channel_name, m.sequence from realtime.messages m
            where m.place is null order by m.sequence limit most) w
    ), added as (
      select channel_name, count(*) as count from waiting group by channel_name
    ), log as (
      update realtime.log set place = place + (select count(*) from waiting) where exists (select from waiting)
      returning epoch, place - (select count(*) from waiting) as place
    ), heads as (
      insert into realtime.heads as h (channel_name, "offset")
      select added.channel_name, added.count from added
      on conflict (channel_name) do update set "offset" = h."offset" + excluded."offset"
      returning h.channel_name, h."offset"
    )
    update realtime.messages m
      set place = log.place + waiting.nth, "offset" = heads."offset" - added.count + waiting.nth_of_channel
    from log, waiting join heads using (channel_name) join added using (channel_name)
    where m.id = waiting.id
    returning m.id, m.channel_name, m.channel_id, m.place, m."offset", log.epoch, m.event_name, m.payload::text,
      m.sender_type, m.sender_id, m.created_at;
end
$$;

-- Wakes the sequencers up, unless the transaction says that its own node will see to it.
create function realtime.ring() returns trigger language plpgsql as $$
begin
  if current_setting('realtime.rings', true) is distinct from 'off' then
    perform pg_notify('realtime_message', '');
  end if;
  return null;
end
$$;
create trigger ring after insert on realtime.messages for each statement execute function realtime.ring();

create function realtime.tell_changed_channels() returns trigger language plpgsql as $$
begin
  perform pg_notify('realtime_channels', '');
  return null;
end
$$;
create trigger tell_changed_channels after insert or update or delete or truncate on realtime.channels
  for each statement execute function realtime.tell_changed_channels();

-- Anybody may subscribe and publish until policies say otherwise (as the original has it): a SELECT policy on
-- realtime.channels decides who may subscribe, an INSERT policy on realtime.messages who may publish.
grant usage on schema realtime to anon, authenticated, project_admin;
grant select on realtime.channels to anon, authenticated;
grant insert (id, event_name, channel_id, channel_name, payload, sender_type, sender_id)
  on realtime.messages to anon, authenticated;
grant all on realtime.channels, realtime.messages, realtime.config to project_admin;
grant select on realtime.heads, realtime.log to project_admin;
revoke execute on function realtime.sequence(integer) from public;
