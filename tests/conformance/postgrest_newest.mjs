/** postgrest-js 2, named as argument: what its builders have and those of 1 have not. */
import assert from 'node:assert/strict'
import { anonKey, afterAll, check, good, named, removeUsers, run, signUp, sql, url } from './kit.mjs'

const { PostgrestClient } = await import(process.argv[2])
const shelf = named('shelf')

await sql(`
  create table ${shelf} (id integer primary key, title text, price numeric);
  alter table ${shelf} enable row level security;
  create policy everything on ${shelf} to authenticated using (true) with check (true);
  insert into ${shelf} values (1, 'ant', null), (2, 'Bee', 2), (3, null, 3);
`)

const { accessToken } = await signUp('reader')
const reader = new PostgrestClient(`${url}/rest/v1`, { headers: { authorization: `Bearer ${accessToken}` } })
const all = () => reader.from(shelf).select('id')
const finds = (narrow, wanted) => async () => {
  assert.deepEqual((await good(narrow(all()).order('id'))).data.map((row) => row.id), wanted)
}
const refuses = (call, status, code) => async () => {
  const answer = await call()
  assert.deepEqual([answer.status, answer.error?.code, answer.data], [status, code, null])
}

check('regexMatch', finds((q) => q.regexMatch('title', '^[ab]'), [1]))
check('regexMatch that cannot be read is refused', refuses(() => all().regexMatch('title', '('), 400, '2201B'))
check('regexIMatch', finds((q) => q.regexIMatch('title', '^[ab]'), [1, 2]))
check('regexIMatch of what is no text is refused', refuses(() => all().regexIMatch('id', '1'), 404, '42883'))
check('isDistinct takes nulls in', finds((q) => q.isDistinct('title', 'ant'), [2, 3]))
check('isDistinct from a wrong value is refused', refuses(() => all().isDistinct('id', 'one'), 400, '22P02'))
check('notIn', finds((q) => q.notIn('id', [1, 9]), [2, 3]))
check('notIn with a wrong value is refused', refuses(() => all().notIn('id', ['one']), 400, '22P02'))

check('stripNulls leaves out what is null', async () => {
  const { data } = await good(reader.from(shelf).select().eq('id', 1).stripNulls())
  assert.deepEqual(data, [{ id: 1, title: 'ant' }])
  assert.deepEqual((await good(reader.from(shelf).select().eq('id', 3).stripNulls().single())).data, { id: 3, price: 3 })
})

check('stripNulls of an unknown column is refused', refuses(() => reader.from(shelf).select('nothing').stripNulls(), 400, '42703'))

check('retry may be left off', async () => {
  assert.equal((await good(all().retry(false))).data.length, 3)
})

check('retry asks no second time for what is refused', async () => {
  let asked = 0
  const fetching = (...given) => (asked++, fetch(...given))
  const client = new PostgrestClient(`${url}/rest/v1`, { headers: { authorization: `Bearer ${accessToken}` }, fetch: fetching })
  const { status } = await client.from(shelf).select('nothing').retry(true)
  assert.deepEqual([status, asked], [400, 1])
})

check('getOpenApiSpec describes the tables', async () => {
  const { data } = await good(reader.getOpenApiSpec())
  assert.equal(data.swagger, '2.0')
  assert.deepEqual(Object.keys(data.definitions[shelf].properties), ['id', 'title', 'price'])
})

check('getOpenApiSpec of a schema that is not exposed is refused', async () => {
  const { status, error } = await reader.schema('auth').getOpenApiSpec()
  assert.deepEqual([status, error.code], [406, 'PGRST106'])
})

check('getOpenApiSpec tells nobody of tables he may not see', async () => {
  const nobody = new PostgrestClient(`${url}/rest/v1`, { headers: { authorization: `Bearer ${anonKey}` } })
  await sql(`revoke all on ${shelf} from anon`)
  const { data } = await good(nobody.getOpenApiSpec())
  assert.equal(data.definitions?.[shelf], undefined)
})

afterAll(removeUsers)
afterAll(() => sql(`drop table ${shelf}`))
await run(process.argv[2])
