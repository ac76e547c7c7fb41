-- When an anonymous user was last here: a session that ends leaves it behind, because nobody can come back to his account
-- but by a session, and an account without one is to be told from one that was in use until yesterday.
alter table auth.users add column last_seen_at timestamptz;
create index users_anonymous on auth.users (coalesce(last_seen_at, created_at)) where is_anonymous;

create function auth.remember_anonymous_user() returns trigger language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
begin
  update auth.users set last_seen_at = greatest(last_seen_at, old.last_used_at)
  where id = old.user_id and is_anonymous;
  return null;
end
$$;
create trigger remember_anonymous_user after delete on auth.sessions
  for each row when (old.user_id is not null) execute function auth.remember_anonymous_user();
