-- Names that Socket.IO keeps for itself: a client that is told an event of such a name takes its connection for broken and
-- ends it, and again with every replay. The house refuses them at its doors; this is for what SQL inserts.
update realtime.messages set event_name = 'renamed:' || event_name
where event_name in ('connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener');
alter table realtime.messages add constraint event_name_is_not_reserved check (
  event_name not in ('connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'));
