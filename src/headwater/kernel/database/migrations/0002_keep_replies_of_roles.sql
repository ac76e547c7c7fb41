-- What runs under a caller's role keeps its reply in its own transaction, and sees no other (docs/decisions/0028).
create function system.find_reply(asked_key text, asked_hash bytea, at timestamptz)
  returns table (is_same boolean, status int, media_type text, body bytea)
  language sql stable security definer set search_path = '' as $$
  select k.request_hash = asked_hash,
    case when k.request_hash = asked_hash then k.status end,
    case when k.request_hash = asked_hash then k.media_type end,
    case when k.request_hash = asked_hash then k.body end
  from system.idempotency_keys k
  where k.key = asked_key and k.expires_at > at
$$;

create function system.keep_reply(
    new_key text, new_hash bytea, new_status int, new_media_type text, new_body bytea, at timestamptz, until timestamptz)
  returns void language sql volatile security definer set search_path = '' as $$
  insert into system.idempotency_keys as k (key, request_hash, status, media_type, body, created_at, expires_at)
  values (new_key, new_hash, new_status, new_media_type, new_body, at, until)
  on conflict (key) do update set request_hash = excluded.request_hash, status = excluded.status,
    media_type = excluded.media_type, body = excluded.body, created_at = excluded.created_at,
    expires_at = excluded.expires_at
  where k.expires_at <= at
$$;

revoke execute on function system.find_reply, system.keep_reply from public;
grant execute on function system.find_reply, system.keep_reply to anon, authenticated, project_admin;
