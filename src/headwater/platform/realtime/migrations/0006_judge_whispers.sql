-- Whether what a message says decides who may publish it: then what was found for one holds for no other. It does where a
-- policy reads more of the row than its channel and its sender, or where somebody's own trigger looks at it before.
create function realtime.judges_content() returns boolean language sql stable security definer
  set search_path = pg_catalog, pg_temp as $$
  select (log.relrowsecurity and exists (
    select from pg_policy policy where policy.polrelid = log.oid and policy.polcmd in ('a', '*') and (
      pg_get_expr(coalesce(policy.polwithcheck, policy.polqual), log.oid) like '%.*%'
      or exists (
        select from pg_depend reads
        join pg_attribute col on col.attrelid = log.oid and col.attnum = reads.refobjsubid
        where reads.classid = 'pg_policy'::regclass and reads.objid = policy.oid
          and reads.refclassid = 'pg_class'::regclass and reads.refobjid = log.oid
          and col.attname not in ('channel_id', 'channel_name', 'sender_type', 'sender_id')
      )
    )
  )) or exists (
    select from pg_trigger trigger
    where trigger.tgrelid = log.oid and not trigger.tgisinternal and trigger.tgenabled <> 'D'
      and trigger.tgtype & 7 = 7 and trigger.tgname <> 'refuse_forged_change' -- for each row, before, insert
  )
  from pg_class log where log.oid = 'realtime.messages'::regclass
$$;
