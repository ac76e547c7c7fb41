/** @insforge/sdk and rows: a table the admin makes, two users under its policy, each alone with his rows. */
import assert from 'node:assert/strict'
import { createAdminClient, createClient } from '@insforge/sdk'
import { adminKey, administer, afterAll, anonKey, bad, beforeEach, check, email, good } from './kit.mjs'
import { named, password, removeUsers, run, sql, url } from './kit.mjs'

const todos = named('todos')
const later = named('later')
const [aside, mine] = [named('aside'), named('mine')]

await administer('POST', '/api/database/tables', {
  tableName: todos,
  columns: [
    { columnName: 'title', type: 'string', isNullable: false, isUnique: false },
    { columnName: 'rank', type: 'integer', isNullable: true, isUnique: false },
    { columnName: 'done', type: 'boolean', isNullable: false, isUnique: false, defaultValue: 'false' },
    { columnName: 'due', type: 'datetime', isNullable: true, isUnique: false },
    { columnName: 'owner', type: 'uuid', isNullable: false, isUnique: false },
  ],
  rlsEnabled: true,
})
await sql(`
  alter table ${todos} alter owner set default auth.uid(), add unique (owner, rank);
  create policy own on ${todos} to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
  create function ${mine}(at_least integer) returns setof ${todos} language sql stable as
    'select * from ${todos} where rank >= at_least';
  create schema ${aside};
  create table ${aside}.things (id integer primary key, name text);
  create function ${aside}.twice(n integer) returns integer language sql immutable as 'select 2 * n';
  grant usage on schema ${aside} to authenticated;
  grant select, insert on ${aside}.things to authenticated;
`)

const nobody = createClient({ baseUrl: url, anonKey, retryCount: 0 })
const admin = createAdminClient({ baseUrl: url, apiKey: adminKey, retryCount: 0 })
const ada = createClient({ baseUrl: url, anonKey, retryCount: 0 })
const grace = createClient({ baseUrl: url, anonKey, retryCount: 0 })
const { user: adaHerself } = (await good(ada.auth.signUp({ email: email('ada'), password }))).data
const { user: graceHerself } = (await good(grace.auth.signUp({ email: email('grace'), password }))).data

const rowsOf = (client) => client.database.from(todos)
const titles = async (query) => (await good(query)).data.map((row) => row.title)

beforeEach(async () => {
  await sql(`delete from ${todos}`)
  await good(rowsOf(ada).insert([1, 2, 3, 4, 5].map((rank) => ({ title: `a${rank}`, rank }))))
  await good(rowsOf(grace).insert([{ title: 'g1', rank: 1 }]))
})

check('from tells each user only his own rows', async () => {
  assert.deepEqual(await titles(rowsOf(ada).select().order('title')), ['a1', 'a2', 'a3', 'a4', 'a5'])
  assert.deepEqual(await titles(rowsOf(grace).select()), ['g1'])
})

check('a row is told with the columns every table has', async () => {
  const { data } = await good(rowsOf(grace).select().single())
  const { id, created_at, updated_at, ...rest } = data
  for (const value of [id, created_at, updated_at]) assert.equal(typeof value, 'string')
  assert.deepEqual(rest, { title: 'g1', rank: 1, done: false, due: null, owner: graceHerself.id })
})

check('whoever is not signed in reads nothing and writes nothing', async () => {
  assert.deepEqual((await good(rowsOf(nobody).select())).data, [])
  const refused = await rowsOf(nobody).insert({ title: 'x', owner: adaHerself.id })
  assert.deepEqual([refused.status, refused.error.code], [401, '42501'])
})

check('a row for somebody else is refused with 403', async () => {
  const refused = await rowsOf(ada).insert({ title: 'x', owner: graceHerself.id })
  assert.deepEqual([refused.status, refused.error.code], [403, '42501'])
})

check('a row cannot be given away', async () => {
  const refused = await rowsOf(ada).update({ owner: graceHerself.id }).eq('title', 'a1')
  assert.deepEqual([refused.status, refused.error.code], [403, '42501'])
})

check('the rows of another are neither changed nor removed', async () => {
  assert.deepEqual((await good(rowsOf(ada).update({ done: true }).eq('title', 'g1').select())).data, [])
  assert.deepEqual((await good(rowsOf(ada).delete().eq('title', 'g1').select())).data, [])
  const { data } = await good(rowsOf(grace).select('title,done'))
  assert.deepEqual(data, [{ title: 'g1', done: false }])
})

check('the admin reads and writes everyone’s rows', async () => {
  assert.equal((await good(rowsOf(admin).select())).data.length, 6)
  await good(rowsOf(admin).insert({ title: 'from above', owner: graceHerself.id, rank: 9 }))
  assert.deepEqual(await titles(rowsOf(grace).select().order('title')), ['from above', 'g1'])
})

check('select tells chosen columns under other names', async () => {
  const { data } = await good(rowsOf(grace).select('name:title, rank'))
  assert.deepEqual(data, [{ name: 'g1', rank: 1 }])
})

check('filters are told together', async () => {
  assert.deepEqual(await titles(rowsOf(ada).select().gt('rank', 1).lt('rank', 4).neq('title', 'a2')), ['a3'])
})

check('or takes either side', async () => {
  assert.deepEqual(await titles(rowsOf(ada).select().or('rank.eq.1,title.eq.a5').order('rank')), ['a1', 'a5'])
})

check('order and limit', async () => {
  assert.deepEqual(await titles(rowsOf(ada).select().order('rank', { ascending: false }).limit(2)), ['a5', 'a4'])
})

check('range tells a page', async () => {
  assert.deepEqual(await titles(rowsOf(ada).select().order('rank').range(1, 2)), ['a2', 'a3'])
})

check('count tells how many there are beyond the page', async () => {
  const { data, count, status } = await good(rowsOf(ada).select('*', { count: 'exact' }).range(0, 1))
  assert.deepEqual([data.length, count, status], [2, 5, 206])
})

check('head tells the count and no rows', async () => {
  const { data, count } = await good(rowsOf(ada).select('*', { count: 'exact', head: true }))
  assert.deepEqual([data, count], [null, 5])
})

check('single refuses several rows', async () => {
  const error = await bad(rowsOf(ada).select().single())
  assert.equal(error.code, 'PGRST116')
})

check('maybeSingle takes none for null', async () => {
  assert.equal((await good(rowsOf(ada).select().eq('rank', 99).maybeSingle())).data, null)
  assert.equal((await good(rowsOf(ada).select().eq('rank', 3).maybeSingle())).data.title, 'a3')
})

check('insert without select answers 201 and an empty list', async () => {
  const { data, status } = await good(rowsOf(grace).insert({ title: 'g2' }))
  assert.deepEqual([data, status], [[], 201])
})

check('insert with select tells the new rows', async () => {
  const { data, status } = await good(rowsOf(grace).insert([{ title: 'g2' }, { title: 'g3' }]).select('title,owner'))
  assert.deepEqual(data, [{ title: 'g2', owner: graceHerself.id }, { title: 'g3', owner: graceHerself.id }])
  assert.equal(status, 201)
})

check('an empty text is no value for a column that is no text', async () => {
  const { data } = await good(rowsOf(grace).insert({ title: '', rank: '', due: '' }).select('title,rank,due').single())
  assert.deepEqual(data, { title: '', rank: null, due: null })
})

check('update without select answers 204', async () => {
  const { data, status } = await good(rowsOf(ada).update({ done: true }).eq('rank', 1))
  assert.deepEqual([data, status], [null, 204])
  assert.deepEqual(await titles(rowsOf(ada).select().is('done', true)), ['a1'])
})

check('update with select tells the changed rows', async () => {
  assert.deepEqual(await titles(rowsOf(ada).update({ done: true }).gte('rank', 4).select().order('rank')), ['a4', 'a5'])
})

check('delete removes the rows that match and tells them', async () => {
  assert.deepEqual(await titles(rowsOf(ada).delete().in('rank', [1, 2]).select().order('rank')), ['a1', 'a2'])
  assert.equal((await good(rowsOf(ada).select())).data.length, 3)
})

check('upsert changes the row that is there and adds the one that is not', async () => {
  const owner = adaHerself.id
  const wanted = [{ owner, rank: 1, title: 'changed' }, { owner, rank: 6, title: 'new' }]
  const { data } = await good(rowsOf(ada).upsert(wanted, { onConflict: 'owner,rank' }).select('rank,title'))
  data.sort((one, other) => one.rank - other.rank)
  assert.deepEqual(data, [{ rank: 1, title: 'changed' }, { rank: 6, title: 'new' }])
  assert.equal((await good(rowsOf(ada).select())).data.length, 6)
})

check('rpc calls a function as its caller, whose rows are filtered and counted', async () => {
  const { data } = await good(ada.database.rpc(mine, { at_least: 3 }).select('title').neq('rank', 4).order('rank'))
  assert.deepEqual(data.map((row) => row.title), ['a3', 'a5'])
  const { data: hers } = await good(grace.database.rpc(mine, { at_least: 1 }, { get: true }).select('title'))
  assert.deepEqual(hers, [{ title: 'g1' }])
  const { count, data: none } = await good(ada.database.rpc(mine, { at_least: 2 }, { head: true, count: 'exact' }))
  assert.deepEqual([count, none], [4, null])
})

check('rpc of what is not there, or with wrong arguments, is refused', async () => {
  const unknown = await ada.database.rpc(named('nothing'), { a: 1 })
  assert.deepEqual([unknown.status, unknown.error.code], [404, 'PGRST202'])
  const lacking = await ada.database.rpc(mine, { other: 1 })
  assert.deepEqual([lacking.status, lacking.error.code], [404, 'PGRST202'])
  const wrong = await ada.database.rpc(mine, { at_least: 'many' })
  assert.deepEqual([wrong.status, wrong.error.code], [400, '22P02'])
})

check('schema chooses another schema, for rows and for functions', async () => {
  await good(ada.database.schema(aside).from('things').insert({ id: 1, name: 'one' }))
  assert.deepEqual((await good(ada.database.schema(aside).from('things').select('name'))).data, [{ name: 'one' }])
  assert.equal((await good(ada.database.schema(aside).rpc('twice', { n: 21 }))).data, 42)
  const there = createClient({ baseUrl: url, anonKey: adminKey, retryCount: 0, isServerMode: true, db: { schema: aside } })
  assert.deepEqual((await good(there.database.from('things').select('name'))).data, [{ name: 'one' }])
})

check('schema that is not there, internal, or not granted is refused', async () => {
  for (const name of [named('nothing'), 'auth', 'system']) {
    const { status, error } = await ada.database.schema(name).from('users').select()
    assert.deepEqual([status, error.code], [406, 'PGRST106'])
  }
  const { status, error } = await nobody.database.schema(aside).from('things').select()
  assert.deepEqual([status, error.code], [401, '42501'])
})

check('a unique key that would break is refused with 409', async () => {
  const refused = await rowsOf(ada).insert({ title: 'again', rank: 1 })
  assert.deepEqual([refused.status, refused.error.code], [409, '23505'])
})

check('a missing value is refused with 400', async () => {
  const refused = await rowsOf(ada).insert({ rank: 7 })
  assert.deepEqual([refused.status, refused.error.code], [400, '23502'])
})

check('from a table that is not there is refused with 404', async () => {
  const refused = await ada.database.from(named('nothing')).select()
  assert.deepEqual([refused.status, refused.error.code], [404, 'PGRST205'])
})

check('an unknown column is refused with 400', async () => {
  const refused = await rowsOf(ada).select('nothing')
  assert.deepEqual([refused.status, refused.error.code], [400, '42703'])
})

check('a wrong anon key is refused with 401 in the platform’s words', async () => {
  const stranger = createClient({ baseUrl: url, anonKey: `anon_${'0'.repeat(64)}`, retryCount: 0 })
  const refused = await stranger.database.from(todos).select()
  assert.deepEqual([refused.status, refused.error.error], [401, 'AUTH_INVALID_CREDENTIALS'])
})

check('a table that was just made is there, and one that was dropped is not', async () => {
  await administer('POST', '/api/database/tables', {
    name: later,
    columns: [{ columnName: 'word', type: 'string', isNullable: true, isUnique: false }],
    useRLS: false,
  })
  const { data } = await good(ada.database.from(later).insert({ word: 'here' }).select('word'))
  assert.deepEqual(data, [{ word: 'here' }])
  await administer('DELETE', `/api/database/tables/${later}`)
  assert.equal((await ada.database.from(later).select()).status, 404)
})

afterAll(removeUsers)
afterAll(() => sql(`drop table ${todos} cascade; drop schema ${aside} cascade`))
await run('@insforge/sdk', '@supabase/postgrest-js')
