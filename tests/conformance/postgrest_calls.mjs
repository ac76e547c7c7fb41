/** postgrest-js, of the version named as argument: functions, forms, counts, plans and ends, where the operator lets them. */
import assert from 'node:assert/strict'
import { adminKey, afterAll, beforeEach, check, good } from './kit.mjs'
import { named, removeUsers, run, signUp, sql, url } from './kit.mjs'

const { PostgrestClient } = await import(process.argv[2])
const birds = named('birds')
const f = (word) => named(word)

await sql(`
  create table ${birds} (id integer primary key, name text not null, owner uuid default auth.uid());
  alter table ${birds} enable row level security;
  create policy own on ${birds} to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
  create function ${f('add')}(a integer, b integer default 10) returns integer language sql immutable as 'select a + b';
  create function ${f('mine')}() returns setof ${birds} language sql stable as 'select * from ${birds}';
  create function ${f('hatch')}(id integer, name text) returns ${birds} language sql volatile as
    'insert into ${birds} (id, name) values (hatch.id, hatch.name) returning *';
  create function ${f('hush')}() returns void language sql volatile as '';
  create function ${f('joined')}(variadic words text[]) returns text language sql immutable as
    $f$ select array_to_string(words, ' ') $f$;
  create function ${f('size')}(list text[]) returns integer language sql immutable as 'select cardinality(list)';
  create function ${f('fail')}() returns void language plpgsql as
    $f$ begin raise sqlstate 'PT418' using message = 'teapot', hint = 'brew'; end $f$;
`.replaceAll('hatch.', `${f('hatch')}.`))

const { accessToken } = await signUp('watcher')
const watcher = new PostgrestClient(`${url}/rest/v1`, { headers: { authorization: `Bearer ${accessToken}` } })
const admin = new PostgrestClient(`${url}/rest/v1`, { headers: { authorization: `Bearer ${adminKey}` } })
const table = () => watcher.from(birds)

beforeEach(async () => {
  await good(admin.from(birds).delete().gte('id', 0))
  await good(table().insert([1, 2, 3, 4].map((id) => ({ id, name: `bird ${id}` }))))
})

check('rpc gives a value', async () => {
  assert.equal((await good(watcher.rpc(f('add'), { a: 1, b: 2 }))).data, 3)
  assert.equal((await good(watcher.rpc(f('add'), { a: 1 }))).data, 11)
})

check('rpc of a stable function is asked with GET', async () => {
  assert.equal((await good(watcher.rpc(f('add'), { a: 1, b: 2 }, { get: true }))).data, 3)
  assert.equal((await good(watcher.rpc(f('size'), { list: ['a', 'b'] }, { get: true }))).data, 2)
})

check('rpc of a variadic function takes an array', async () => {
  assert.equal((await good(watcher.rpc(f('joined'), { words: ['a', 'b'] }))).data, 'a b')
})

check('rpc tells rows that are selected, filtered, ordered and cut', async () => {
  const { data } = await good(watcher.rpc(f('mine')).select('id').gt('id', 1).order('id', { ascending: false }).limit(2))
  assert.deepEqual(data, [{ id: 4 }, { id: 3 }])
  const ranged = await good(watcher.rpc(f('mine'), {}, { get: true }).select('id').order('id').range(1, 2))
  assert.deepEqual(ranged.data, [{ id: 2 }, { id: 3 }])
})

check('rpc tells rows that are counted', async () => {
  const head = await good(watcher.rpc(f('mine'), {}, { head: true, count: 'exact' }))
  assert.deepEqual([head.count, head.data], [4, null])
  const some = await good(watcher.rpc(f('mine'), {}, { count: 'exact' }).limit(1))
  assert.deepEqual([some.count, some.data.length, some.status], [4, 1, 206])
})

check('rpc tells one row as one object', async () => {
  const { data } = await good(watcher.rpc(f('mine')).select('name').eq('id', 2).single())
  assert.deepEqual(data, { name: 'bird 2' })
  assert.equal((await good(watcher.rpc(f('mine')).eq('id', 9).maybeSingle())).data, null)
})

check('rpc writes as its caller', async () => {
  const { data } = await good(watcher.rpc(f('hatch'), { id: 9, name: 'new' }).select('id,name'))
  assert.deepEqual(data, { id: 9, name: 'new' })
  assert.equal((await good(table().select().eq('id', 9))).data.length, 1)
})

check('rpc with GET is refused to a function that writes', async () => {
  const answer = await watcher.rpc(f('hatch'), { id: 9, name: 'new' }, { get: true })
  assert.deepEqual([answer.status, answer.error.code], [405, '25006'])
})

check('rpc of a function that gives nothing answers 204', async () => {
  const answer = await good(watcher.rpc(f('hush')))
  assert.equal(answer.status, 204)
  assert.ok(!answer.data)
})

check('rpc of an unknown function is refused with 404 and a hint', async () => {
  const { status, error } = await watcher.rpc(f('ad'), { a: 1 })
  assert.deepEqual([status, error.code], [404, 'PGRST202'])
  assert.equal(error.hint, `Perhaps you meant to call the function public.${f('add')}`)
})

check('rpc is refused with the status that its function raises', async () => {
  const { status, error } = await watcher.rpc(f('fail'))
  assert.equal(status, 418)
  assert.deepEqual([error.code, error.message, error.hint], ['PT418', 'teapot', 'brew'])
})

check('csv tells rows as text', async () => {
  const { data } = await good(table().select('id,name').order('id').limit(2).csv())
  assert.equal(data, 'id,name\n1,"bird 1"\n2,"bird 2"')
})

check('counts that Postgres plans or estimates', async () => {
  const planned = await good(table().select('*', { count: 'planned', head: true }))
  assert.equal(typeof planned.count, 'number')
  const estimated = await good(table().select('*', { count: 'estimated' }).limit(1))
  assert.equal(estimated.count, 4)
})

check('explain tells the plan of a query as text', async () => {
  const { data } = await good(table().select('id').eq('id', 1).explain())
  assert.match(data, /Nested Loop/)
  assert.match(data, /owner/)
})

check('explain tells the plan of a query as JSON with options', async () => {
  const { data } = await good(table().select('id').explain({ format: 'json', analyze: true, buffers: true, verbose: true }))
  assert.ok(data[0].Plan['Actual Rows'] >= 0)
})

check('explain tells the plan of a call and of a change', async () => {
  assert.match((await good(watcher.rpc(f('mine')).explain())).data, /birds/)
  assert.match((await good(table().delete().eq('id', 1).select().explain({ analyze: true }))).data, /Delete on/)
  assert.equal((await good(table().select())).data.length, 4)
})

check('rollback tells a change and undoes it', async () => {
  const { data } = await good(table().insert({ id: 7, name: 'gone' }).select('id').rollback())
  assert.deepEqual(data, [{ id: 7 }])
  await good(table().update({ name: 'x' }).eq('id', 1).rollback())
  await good(watcher.rpc(f('hatch'), { id: 8, name: 'gone' }).rollback())
  assert.deepEqual((await good(table().select('name').order('id'))).data.map((row) => row.name),
    ['bird 1', 'bird 2', 'bird 3', 'bird 4'])
})

check('geojson, which needs PostGIS, is refused with 406', async () => {
  const { status, error } = await table().select().geojson()
  assert.deepEqual([status, error.code], [406, 'PGRST107'])
})

check('maxAffected of more rows than allowed is refused and undone', async () => {
  if (typeof table().delete().maxAffected !== 'function') return
  const { status, error } = await table().delete().gt('id', 0).maxAffected(3)
  assert.deepEqual([status, error.code], [400, 'PGRST124'])
  assert.equal((await good(table().select())).data.length, 4)
})

afterAll(removeUsers)
afterAll(() => sql(`drop table ${birds} cascade; drop function ${['add', 'hush', 'joined', 'size', 'fail'].map(f).join(', ')}`))
await run(process.argv[2])
