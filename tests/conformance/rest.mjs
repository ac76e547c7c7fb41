/** postgrest-js, of the version named as argument, against `headwater rest` over a database with roles of its own. */
import assert from 'node:assert/strict'
import { adminKey, bad, beforeEach, check, good, run, url } from './kit.mjs'

const { PostgrestClient } = await import(process.argv[2])
const connect = (token) =>
  new PostgrestClient(url, { headers: token ? { authorization: `Bearer ${token}` } : {}, schema: 'api' })
const editor = connect(adminKey)
const stranger = connect(null)
const films = () => editor.from('films').select('id')
const ids = async (query) => (await good(query.order('id'))).data.map((row) => row.id)

beforeEach(() => good(editor.from('directors').delete().gt('id', 30)))

check('a role sees its rows', async () => {
  assert.deepEqual(await ids(films()), [1, 2, 3, 4])
  assert.deepEqual(await ids(stranger.from('films').select('id')), [1, 2, 3])
})

check('rows are filtered, ordered, cut and counted', async () => {
  const { data, count, status } = await good(
    editor.from('films').select('id', { count: 'exact' }).gt('year', 1924).order('year', { ascending: false }).range(0, 1),
  )
  assert.deepEqual([data, count, status], [[{ id: 4 }, { id: 3 }], 3, 206])
  assert.deepEqual(await ids(films().contains('tags', ['silent']).or('id.eq.1,title.like.*Jr*')), [1, 2])
  assert.deepEqual(await ids(films().textSearch('words', 'generals', { config: 'english' })), [1])
  assert.deepEqual(await ids(films().rangeAdjacent('shown', '[5,10)')), [1, 3])
})

check('relations are embedded', async () => {
  const { data } = await good(editor.from('directors').select('name,films!inner(title)').eq('films.id', 3).single())
  assert.deepEqual(data, { name: 'Varda', films: [{ title: 'Vagabond' }] })
})

check('rows are inserted, upserted, changed and removed', async () => {
  const table = () => editor.from('directors')
  assert.equal((await good(table().insert([{ id: 31, name: 'a' }, { id: 32, name: 'b' }]))).status, 201)
  assert.deepEqual((await good(table().upsert({ id: 31, name: 'A' }).select())).data, [{ id: 31, name: 'A' }])
  assert.equal((await good(table().update({ name: 'B' }).eq('id', 32))).status, 204)
  assert.deepEqual((await good(table().delete().gt('id', 30).select('name').order('id'))).data, [
    { name: 'A' },
    { name: 'B' },
  ])
})

check('functions are called', async () => {
  assert.equal((await good(editor.rpc('add', { a: 1, b: 2 }))).data, 3)
  assert.equal((await good(editor.rpc('add', { a: 1, b: 2 }, { get: true }))).data, 3)
  assert.deepEqual((await good(editor.rpc('films_of', { year: 1985 }).select('id').single())).data, { id: 3 })
  assert.equal((await good(editor.rpc('whoami'))).data.role, 'editor')
})

check('other forms are told', async () => {
  assert.equal((await good(films().eq('id', 1).csv())).data, 'id\n1')
  assert.match((await good(films().explain())).data, /Scan/)
})

check('refusals are those of PostgREST', async () => {
  assert.equal((await bad(editor.from('nothing').select())).code, 'PGRST205')
  assert.equal((await bad(editor.from('films').select('nothing'))).code, '42703')
  assert.equal((await bad(editor.schema('hidden').from('notes').select())).code, 'PGRST106')
  assert.equal((await bad(films().single())).code, 'PGRST116')
  assert.equal((await bad(editor.rpc('nothing'))).code, 'PGRST202')
  assert.equal((await bad(editor.from('directors').insert({ id: 1, name: 'again' }))).code, '23505')
  assert.equal((await bad(stranger.from('directors').insert({ id: 33, name: 'x' }))).code, '42501')
  assert.equal((await bad(connect('not.a.token').from('films').select())).code, 'PGRST301')
  assert.equal((await bad(connect(`${adminKey.slice(0, -6)}AAAAAA`).from('films').select())).code, 'PGRST301')
})

await run(process.argv[2])
