-- Whoever takes an address ends what others had begun in order to take it, through whichever door he came: a sign-up, an
-- upgrade, a first sign-in, a change of address, psql. And what was sent to an address for its account is no longer good
-- when the account has another: the next one to have that address must not be entered with it. Rows that somebody holds
-- are left, so that nobody waits for anybody: whoever holds one finds the address taken by users_by_email.
create index email_changes_by_address on auth.email_changes (lower(new_email));
create function auth.end_pending_codes() returns trigger language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
begin
  delete from auth.email_changes where user_id in (
    select user_id from auth.email_changes where lower(new_email) = lower(new.email) and user_id <> new.id
    for no key update skip locked);
  if tg_op = 'UPDATE' then
    delete from auth.email_otps where id in (
      select id from auth.email_otps where email in (lower(old.email), lower(new.email)) for no key update skip locked);
  end if;
  return null;
end
$$;
create trigger end_codes_of_new_user after insert on auth.users
  for each row when (new.email is not null) execute function auth.end_pending_codes();
create trigger end_codes_of_changed_email after update of email on auth.users
  for each row when (lower(old.email) is distinct from lower(new.email)) execute function auth.end_pending_codes();
