-- Messages of some channels behind one place and up to another, in their order: `most` at most, and no more than have `bytes`
-- of payload between them, but for a single one. What would not fit is not even unpacked. The last row is no message: it says
-- up to which place nothing is left out (`place`), and where the log begins to be whole (`pruned`).
create function realtime.read_log(channels text[], behind bigint, until bigint, most integer, bytes bigint) returns table (
  id uuid, channel_name text, channel_id uuid, place bigint, "offset" bigint, epoch text, event_name text,
  payload text, sender_type text, sender_id text, created_at timestamptz, pruned bigint
) language plpgsql stable as $$
#variable_conflict use_column
declare
  state   record;
  message record;
  count   integer := 0;
  reached bigint := behind;
begin
  select * into state from realtime.log;
  epoch := state.epoch;
  for message in
    select m.* from realtime.messages m
    where m.channel_name = any(channels) and m.place > behind and m.place <= until order by m.place limit most
  loop
    payload := message.payload::text;
    bytes := bytes - octet_length(payload);
    if bytes < 0 and count > 0 then
      until := reached;
      exit;
    end if;
    id := message.id; channel_name := message.channel_name; channel_id := message.channel_id;
    place := message.place; "offset" := message."offset"; event_name := message.event_name;
    sender_type := message.sender_type; sender_id := message.sender_id; created_at := message.created_at;
    return next;
    count := count + 1;
    reached := message.place;
  end loop;
  if count = most then
    until := reached;
  end if;
  id := null; place := until; pruned := state.pruned;
  return next;
end
$$;
revoke execute on function realtime.read_log(text[], bigint, bigint, integer, bigint) from public;

-- A client that cannot take one message in without falling behind would be cut off by it, and again with every replay. What
-- tables tell is shortened when it is told. Older messages stay.
alter table realtime.messages add constraint payload_is_not_too_long
  check (channel_name like 'table:%' or octet_length(payload::text) <= 262144) not valid;
