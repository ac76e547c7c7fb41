-- Which webhooks have taken which messages: one that is told again is counted once.
create table realtime.webhook_deliveries (
  message_id   uuid not null references realtime.messages (id) on delete cascade,
  url          text not null,
  delivered_at timestamptz not null,
  primary key (message_id, url)
);

-- Fails if one of these channels has webhooks. It looks when it is called, and not when the statement around it began:
-- what a message's sender knew of its channel, it knows too.
create function realtime.must_call_nobody(told uuid[]) returns void language plpgsql as $$
begin
  if exists (select from realtime.channels where id = any(told) and webhook_urls <> '{}') then
    raise sqlstate 'HW061' using message = 'A channel has webhooks';
  end if;
end
$$;
revoke execute on function realtime.must_call_nobody(uuid[]) from public;
