-- Whether callers of one role may still hear channels: for each pair of claims and name, in the order asked. A policy that
-- fails shows nothing.
create function realtime.may_subscribe(asked json) returns boolean[] language plpgsql as $$
declare
  pair     json;
  verdicts boolean[] := '{}';
begin
  for pair in select * from json_array_elements(asked) loop
    begin
      perform set_config('request.jwt.claims', pair ->> 0, true), set_config('realtime.channel_name', pair ->> 1, true);
      verdicts := verdicts || (realtime.find_channel(pair ->> 1) is not null);
    exception
      when others then verdicts := verdicts || false;
    end;
  end loop;
  return verdicts;
end
$$;
