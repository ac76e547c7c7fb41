/** postgrest-js, of the version named as argument: every method of its builders, where the server must refuse it. */
import assert from 'node:assert/strict'
import { afterAll, bad, check, good, named, removeUsers, run, signUp, sql, url } from './kit.mjs'

const { PostgrestClient } = await import(process.argv[2])
const shelf = named('shelf')

await sql(`
  create table ${shelf} (id integer primary key, title text not null, tags text[], span int4range, extra jsonb);
  alter table ${shelf} enable row level security;
  create policy readable on ${shelf} for select to authenticated using (true);
  create policy writable on ${shelf} to authenticated using (id > 0) with check (id > 0);
  insert into ${shelf} (id, title) values (1, 'one'), (2, 'two');
`)

const { accessToken } = await signUp('reader')
const headers = { authorization: `Bearer ${accessToken}` }
const reader = new PostgrestClient(`${url}/rest/v1`, { headers })
const table = () => reader.from(shelf)
const all = () => table().select('id')

/** That a call is refused so, and tells nothing else. */
const refuses = (call, status, code) => async () => {
  const answer = await call()
  assert.deepEqual([answer.status, answer.error?.code, answer.data, answer.count], [status, code, null, null])
  assert.equal(typeof answer.error.message, 'string')
  for (const key of ['details', 'hint']) assert.ok(answer.error[key] === null || typeof answer.error[key] === 'string')
}
const filtered = (narrow, status, code) => refuses(() => narrow(all()), status, code)

// the client

check('from a table that is not there is refused', refuses(() => reader.from('nothing').select(), 404, 'PGRST205'))
check('schema that is not exposed is refused', refuses(() => reader.schema('auth').from('users').select(), 406, 'PGRST106'))
check('rpc of what is not there is refused', refuses(() => reader.rpc('nothing', { a: 1 }), 404, 'PGRST202'))

// the five verbs

check('select of an unknown column is refused', refuses(() => table().select('nothing'), 400, '42703'))
check('select of an unknown relation is refused', refuses(() => table().select('id,nothing(id)'), 400, 'PGRST200'))
check('select that cannot be read is refused', refuses(() => table().select('id,other('), 400, 'PGRST100'))
check('insert of a key that is taken is refused', refuses(() => table().insert({ id: 1, title: 'x' }), 409, '23505'))
check('insert without what must be there is refused', refuses(() => table().insert({ id: 3 }), 400, '23502'))
check('insert of a wrong value is refused', refuses(() => table().insert({ id: 'x', title: 'x' }), 400, '22P02'))
check('insert that the policy forbids is refused', refuses(() => table().insert({ id: 0, title: 'x' }), 403, '42501'))
check('select after a write, of an unknown column, is refused',
  refuses(() => table().insert({ id: 3, title: 'x' }).select('nothing'), 400, '42703'))
check('upsert by what is no key is refused',
  refuses(() => table().upsert({ id: 1, title: 'x' }, { onConflict: 'title' }), 400, '42P10'))
check('upsert that the policy forbids is refused', refuses(() => table().upsert({ id: -1, title: 'x' }), 403, '42501'))
check('update of an unknown column is refused', refuses(() => table().update({ nothing: 1 }).eq('id', 1), 400, 'PGRST204'))
check('update that the policy forbids is refused', refuses(() => table().update({ id: -1 }).eq('id', 1), 403, '42501'))
check('delete by an unknown column is refused', refuses(() => table().delete().eq('nothing', 1), 400, '42703'))

// filters

check('eq with a wrong value is refused', filtered((q) => q.eq('id', 'one'), 400, '22P02'))
check('neq with a wrong value is refused', filtered((q) => q.neq('id', 'one'), 400, '22P02'))
check('gt with a wrong value is refused', filtered((q) => q.gt('id', 'one'), 400, '22P02'))
check('gte with a wrong value is refused', filtered((q) => q.gte('id', 'one'), 400, '22P02'))
check('lt with a wrong value is refused', filtered((q) => q.lt('id', 'one'), 400, '22P02'))
check('lte with a number too large is refused', filtered((q) => q.lte('id', 2 ** 40), 400, '22003'))
check('like of what is no text is refused', filtered((q) => q.like('id', '1%'), 404, '42883'))
check('likeAllOf of what is no text is refused', filtered((q) => q.likeAllOf('id', ['1%', '%1']), 404, '42883'))
check('likeAnyOf of what is no text is refused', filtered((q) => q.likeAnyOf('id', ['1%', '%1']), 404, '42883'))
check('ilike of what is no text is refused', filtered((q) => q.ilike('id', '1%'), 404, '42883'))
check('ilikeAllOf of what is no text is refused', filtered((q) => q.ilikeAllOf('id', ['1%', '%1']), 404, '42883'))
check('ilikeAnyOf of what is no text is refused', filtered((q) => q.ilikeAnyOf('id', ['1%', '%1']), 404, '42883'))
check('is of what is neither null nor a truth value is refused', filtered((q) => q.is('title', 'maybe'), 400, 'PGRST100'))
check('is true of a number is refused', filtered((q) => q.is('id', true), 400, '42804'))
check('in with a wrong value is refused', filtered((q) => q.in('id', [1, 'two']), 400, '22P02'))
check('contains of what holds nothing is refused', filtered((q) => q.contains('title', '{one}'), 404, '42883'))
check('contains with no array is refused', filtered((q) => q.contains('tags', 'one'), 400, '22P02'))
check('containedBy of what is no set is refused', filtered((q) => q.containedBy('title', '{one}'), 404, '42883'))
check('overlaps of what is no set is refused', filtered((q) => q.overlaps('title', '{one}'), 404, '42883'))
check('rangeGt with no range is refused', filtered((q) => q.rangeGt('span', 'one'), 400, '22P02'))
check('rangeGte with no range is refused', filtered((q) => q.rangeGte('span', '[1'), 400, '22P02'))
check('rangeLt with its ends changed is refused', filtered((q) => q.rangeLt('span', '[5,1)'), 400, '22000'))
check('rangeLte of what is no range is refused', filtered((q) => q.rangeLte('title', '[1,5)'), 404, '42883'))
check('rangeAdjacent of what is no range is refused', filtered((q) => q.rangeAdjacent('title', '[1,5)'), 404, '42883'))
check('textSearch in an unknown language is refused', filtered((q) => q.textSearch('title', 'one', { config: 'klingon' }), 400, '42704'))
check('textSearch that cannot be read is refused', filtered((q) => q.textSearch('title', 'one two'), 400, '42601'))
check('match of an unknown column is refused', filtered((q) => q.match({ id: 1, nothing: 1 }), 400, '42703'))
check('not of an unknown operator is refused', filtered((q) => q.not('id', 'near', 1), 400, 'PGRST100'))
check('or that does not end is refused', filtered((q) => q.or('id.eq.1,and(id.eq.2'), 400, 'PGRST100'))
check('or of a relation that is not embedded is refused', filtered((q) => q.or('id.eq.1', { referencedTable: 'others' }), 400, 'PGRST108'))
check('filter by an unknown operator is refused', filtered((q) => q.filter('id', 'near', 1), 400, 'PGRST100'))

// what becomes of the rows

check('order by an unknown column is refused', filtered((q) => q.order('nothing'), 400, '42703'))
check('order by a relation that is not embedded is refused', filtered((q) => q.order('others(id)'), 400, 'PGRST108'))
check('limit below zero is refused', filtered((q) => q.limit(-1), 416, 'PGRST103'))
check('range that ends before it begins is refused', filtered((q) => q.range(5, 1), 416, 'PGRST103'))
check('single of none is refused', filtered((q) => q.eq('id', 99).single(), 406, 'PGRST116'))
check('csv of an unknown column is refused', filtered((q) => q.eq('nothing', 1).csv(), 400, '42703'))
check('geojson without PostGIS is refused', filtered((q) => q.geojson(), 406, 'PGRST107'))
check('explain where the operator does not allow it is refused', filtered((q) => q.explain(), 406, 'PGRST107'))
check('rollback of what is refused anyway is refused', refuses(() => table().insert({ id: 1, title: 'x' }).rollback(), 409, '23505'))
check('setHeader with a preference that is not known, strictly, is refused',
  filtered((q) => q.setHeader('Prefer', 'handling=strict, nonsense'), 400, 'PGRST122'))
check('then hands on what is refused',
  refuses(() => new Promise((resolve) => { table().select('nothing').then(resolve) }), 400, '42703'))

check('maybeSingle of several is refused', async () => {
  assert.equal((await bad(all().maybeSingle())).code, 'PGRST116')
})

check('maxAffected of more rows than allowed is refused, and nothing is done', async () => {
  await refuses(() => table().update({ title: 'x' }).gt('id', 0).maxAffected(1), 400, 'PGRST124')()
  assert.deepEqual((await good(table().select('title').order('id'))).data, [{ title: 'one' }, { title: 'two' }])
})

check('throwOnError throws what is refused', async () => {
  await assert.rejects(async () => await table().select('nothing').throwOnError(), { code: '42703' })
})

check('abortSignal that was given up is refused by the client itself', async () => {
  const { error } = await all().abortSignal(AbortSignal.abort())
  assert.match(`${error.message} ${error.details}`, /abort/i)
})

afterAll(removeUsers)
afterAll(() => sql(`drop table ${shelf}`))
await run(process.argv[2])
