/** postgrest-js, of the version named as argument, against /rest/v1: the exact dialect. */
import assert from 'node:assert/strict'
import { adminKey, afterAll, anonKey, bad, beforeEach, check, good } from './kit.mjs'
import { named, removeUsers, run, signUp, sql, url } from './kit.mjs'

const { PostgrestClient } = await import(process.argv[2])
const beasts = named('beasts')
const pairs = named('pairs')
const aside = named('aside')

await sql(`
  create table ${beasts} (
    id integer primary key,
    name text not null,
    legs integer,
    tame boolean,
    price numeric(8, 2),
    tags text[] not null default '{}',
    extra jsonb not null default '{}',
    years int4range,
    words tsvector generated always as (to_tsvector('english', name)) stored,
    note text default 'none'
  );
  alter table ${beasts} enable row level security;
  create policy anyone_signed_in on ${beasts} to authenticated using (true) with check (legs is distinct from 13);
  create table ${pairs} (a integer, b integer, note text default 'none', primary key (a, b));
  create schema ${aside};
  create table ${aside}.things (id integer primary key, name text);
  grant usage on schema ${aside} to authenticated;
  grant select, insert, update, delete on ${aside}.things to authenticated;
`)

const ROWS = [
  { id: 1, name: 'ant', legs: 6, tame: false, price: 0.5, tags: ['small', 'red'], extra: { a: 1, b: { c: 'x' } } },
  { id: 2, name: 'bee', legs: 6, tame: true, price: 2, tags: ['small', 'loud'], extra: { a: 2, list: [7, 8] } },
  { id: 3, name: 'cat', legs: 4, tame: true, price: 30, tags: ['soft'], extra: { a: 3 } },
  { id: 4, name: 'a, (b) "c" \\ d', legs: 4, tame: null, price: null, tags: ['a,b', '"'], extra: {} },
  { id: 5, name: '100% *_Ünï', legs: null, tame: null, price: 99.95, tags: [], extra: { b: null } },
].map((row) => ({ years: `[${row.id},${row.id + 5})`, ...row }))

const WEB = { type: 'websearch', config: 'english' }

const { accessToken } = await signUp('keeper')
const connect = (token, schema) => {
  const headers = token ? { authorization: `Bearer ${token}` } : {}
  return new PostgrestClient(`${url}/rest/v1`, { headers, ...(schema ? { schema } : {}) })
}
const keeper = connect(accessToken)
const table = () => keeper.from(beasts)
const all = () => table().select('id')
const ids = async (query) => (await good(query.order('id'))).data.map((row) => row.id)
const refused = async (query, status, code) => {
  const answer = await query
  assert.deepEqual([answer.status, answer.error?.code, answer.data], [status, code, null])
  return answer.error
}

beforeEach(async () => {
  await good(connect(adminKey).from(beasts).delete().gte('id', 0))
  await good(table().insert(ROWS))
})

// select

check('select all columns', async () => {
  const { data } = await good(table().select().eq('id', 1).single())
  assert.deepEqual(data, { ...ROWS[0], words: "'ant':1", note: 'none' })
})

check('select chosen columns', async () => {
  assert.deepEqual((await good(table().select('id, name').eq('id', 1))).data, [{ id: 1, name: 'ant' }])
})

check('select under another name and as another type', async () => {
  const { data } = await good(table().select('beast:name,legs::text').eq('id', 1).single())
  assert.deepEqual(data, { beast: 'ant', legs: '6' })
})

check('select from inside JSON', async () => {
  const { data } = await good(table().select('extra->b->>c,extra->a,last:extra->list->-1').in('id', [1, 2]).order('id'))
  assert.deepEqual(data, [{ c: 'x', a: 1, last: null }, { c: null, a: 2, last: 8 }])
})

check('select with head tells no rows', async () => {
  const { data, count, status } = await good(table().select('*', { head: true, count: 'exact' }))
  assert.deepEqual([data, count, status], [null, 5, 200])
})

check('select counts what matches', async () => {
  const { data, count } = await good(table().select('id', { count: 'exact' }).gt('legs', 4).limit(1))
  assert.deepEqual([data.length, count], [1, 2])
})

// filters

const finds = (narrow, wanted) => async () => assert.deepEqual(await ids(narrow(all())), wanted)

check('eq', finds((q) => q.eq('name', 'ant'), [1]))
check('eq with every character that has a meaning', finds((q) => q.eq('name', ROWS[3].name), [4]))
check('eq with a wildcard takes it for itself', finds((q) => q.eq('name', ROWS[4].name), [5]))
check('neq leaves nulls out', finds((q) => q.neq('legs', 4), [1, 2]))
check('gt', finds((q) => q.gt('legs', 4), [1, 2]))
check('gte', finds((q) => q.gte('price', 2), [2, 3, 5]))
check('lt', finds((q) => q.lt('price', 2), [1]))
check('lte', finds((q) => q.lte('price', 2), [1, 2]))
check('like with percent signs', finds((q) => q.like('name', '%a%'), [1, 3, 4]))
check('like with stars', finds((q) => q.like('name', '*a*'), [1, 3, 4]))
check('like minds the case', finds((q) => q.like('name', 'A*'), []))
check('ilike does not', finds((q) => q.ilike('name', 'A*'), [1, 4]))
check('likeAllOf', finds((q) => q.likeAllOf('name', ['%a%', '%t']), [1, 3]))
check('likeAnyOf', finds((q) => q.likeAnyOf('name', ['b%', 'c%']), [2, 3]))
check('ilikeAllOf', finds((q) => q.ilikeAllOf('name', ['%A%', '%T']), [1, 3]))
check('ilikeAnyOf', finds((q) => q.ilikeAnyOf('name', ['B%', 'C%']), [2, 3]))
check('match by a regular expression', finds((q) => q.filter('name', 'match', '^.[ae]'), [2, 3]))
check('imatch', finds((q) => q.filter('name', 'imatch', '^ANT$'), [1]))
check('filter takes any operator', finds((q) => q.filter('legs', 'gte', 6).filter('name', 'like', 'a*'), [1]))
check('is null', finds((q) => q.is('tame', null), [4, 5]))
check('is true', finds((q) => q.is('tame', true), [2, 3]))
check('is false', finds((q) => q.is('tame', false), [1]))
check('is not_null', finds((q) => q.filter('tame', 'is', 'not_null'), [1, 2, 3]))
check('isdistinct takes nulls in', finds((q) => q.filter('legs', 'isdistinct', 4), [1, 2, 5]))
check('in', finds((q) => q.in('id', [1, 3, 99]), [1, 3]))
check('in with what must be quoted', finds((q) => q.in('name', ['bee', 'x,y', 'p(q)']), [2]))
check('in with nothing', finds((q) => q.in('id', []), []))
check('contains an array', finds((q) => q.contains('tags', ['small']), [1, 2]))
check('contains JSON', finds((q) => q.contains('extra', { b: { c: 'x' } }), [1]))
check('contains a range', finds((q) => q.contains('years', '[1,3)'), [1]))
check('containedBy an array', finds((q) => q.containedBy('tags', ['small', 'red', 'soft']), [1, 3, 5]))
check('overlaps an array', finds((q) => q.overlaps('tags', ['red', 'soft']), [1, 3]))
check('overlaps a range', finds((q) => q.overlaps('years', '[9,20)'), [5]))
check('rangeLt', finds((q) => q.rangeLt('years', '[7,20)'), [1, 2]))
check('rangeGt', finds((q) => q.rangeGt('years', '[0,4)'), [4, 5]))
check('rangeGte', finds((q) => q.rangeGte('years', '[4,5)'), [4, 5]))
check('rangeLte', finds((q) => q.rangeLte('years', '[0,8)'), [1, 2, 3]))
check('rangeAdjacent', finds((q) => q.rangeAdjacent('years', '[0,2)'), [2]))
check('textSearch', finds((q) => q.textSearch('words', 'ant | cat'), [1, 3]))
check('textSearch for the web', finds((q) => q.textSearch('words', 'bees', WEB), [2]))
check('match takes all pairs', finds((q) => q.match({ legs: 6, tame: true }), [2]))
check('filters inside JSON', finds((q) => q.eq('extra->b->>c', 'x'), [1]))
check('filters of numbers inside JSON', finds((q) => q.gt('extra->a', 1), [2, 3]))
check('filters are joined by and', finds((q) => q.eq('legs', 6).eq('tame', true), [2]))
check('two filters of one column', finds((q) => q.gt('id', 1).lt('id', 4), [2, 3]))

// logic

check('not of an operator', finds((q) => q.not('legs', 'eq', 6), [3, 4]))
check('not of is', finds((q) => q.not('tame', 'is', null), [1, 2, 3]))
check('not of in', finds((q) => q.not('id', 'in', '(1,2,3)'), [4, 5]))
check('or', finds((q) => q.or('id.eq.1,name.eq.cat'), [1, 3]))
check('or with and inside', finds((q) => q.or('id.eq.5,and(legs.eq.4,tame.is.true)'), [3, 5]))
check('or with not inside', finds((q) => q.or('id.not.lt.5,not.and(legs.lte.6,price.gt.0)'), [5]))
check('or with quoted values', finds((q) => q.or(`name.eq.${JSON.stringify(ROWS[3].name)},id.in.(1,2)`), [1, 2, 4]))
check('or beside a filter', finds((q) => q.eq('legs', 6).or('id.eq.1,id.eq.3'), [1]))
check('and of two that are joined by or inside', finds(conjunction, [2, 4]))

/** The client has no word for it, but anyone may write it into the address. */
function conjunction(query) {
  query.url.searchParams.append('and', '(id.gt.1,or(id.lt.3,id.eq.4))')
  return query
}

// order, pages, one row

const DOWN = { ascending: false }
const inOrder = (arrange, wanted) => async () => {
  assert.deepEqual((await good(arrange(all()))).data.map((row) => row.id), wanted)
}

check('order upwards puts nulls last', inOrder((q) => q.order('price'), [1, 2, 3, 5, 4]))
check('order downwards puts nulls first', inOrder((q) => q.order('price', DOWN), [4, 5, 3, 2, 1]))
check('order with nulls where they are wanted', inOrder((q) => q.order('price', { nullsFirst: true }), [4, 1, 2, 3, 5]))
check('order by two columns', inOrder((q) => q.order('legs').order('name', DOWN), [3, 4, 2, 1, 5]))
check('order by what is inside JSON', inOrder((q) => q.gt('extra->a', 0).order('extra->a', DOWN), [3, 2, 1]))
check('limit', inOrder((q) => q.order('id').limit(2), [1, 2]))
check('limit of none', inOrder((q) => q.limit(0), []))
check('range', inOrder((q) => q.order('id').range(1, 3), [2, 3, 4]))

check('range with count answers 206', async () => {
  const { status, count } = await good(table().select('id', { count: 'exact' }).range(0, 1))
  assert.deepEqual([status, count], [206, 5])
})

check('range beyond the end is refused with 416', async () => {
  await refused(table().select('id', { count: 'exact' }).range(50, 60), 416, 'PGRST103')
})

check('single tells the row', async () => {
  assert.deepEqual((await good(all().eq('id', 3).single())).data, { id: 3 })
})

check('single of none is refused with 406', async () => {
  const error = await refused(all().eq('id', 99).single(), 406, 'PGRST116')
  assert.equal(error.details, 'The result contains 0 rows')
})

check('single of several is refused with 406', async () => {
  const error = await refused(all().single(), 406, 'PGRST116')
  assert.equal(error.details, 'The result contains 5 rows')
})

check('maybeSingle tells the row', async () => {
  assert.deepEqual((await good(all().eq('id', 3).maybeSingle())).data, { id: 3 })
})

check('maybeSingle of none is null', async () => {
  assert.equal((await good(all().eq('id', 99).maybeSingle())).data, null)
})

check('maybeSingle of several is refused', async () => {
  assert.equal((await bad(all().maybeSingle())).code, 'PGRST116')
})

// writes

check('insert one answers 201 without a body', async () => {
  const { data, status } = await good(table().insert({ id: 6, name: 'dog' }))
  assert.deepEqual([data, status], [null, 201])
})

check('select after a write tells what was written', async () => {
  assert.deepEqual((await good(table().insert({ id: 6, name: 'dog' }).select('beast:name'))).data, [{ beast: 'dog' }])
  assert.deepEqual((await good(table().delete().eq('id', 6).select('id'))).data, [{ id: 6 }])
})

check('insert one and tell it', async () => {
  const { data } = await good(table().insert({ id: 6, name: 'dog' }).select('id,name,note').single())
  assert.deepEqual(data, { id: 6, name: 'dog', note: 'none' })
})

check('insert many and tell them', async () => {
  const { data, status } = await good(table().insert([{ id: 6, name: 'dog' }, { id: 7, name: 'elk' }]).select('id'))
  assert.deepEqual([data, status], [[{ id: 6 }, { id: 7 }], 201])
})

check('insert counts', async () => {
  const { count } = await good(table().insert([{ id: 6, name: 'dog' }, { id: 7, name: 'elk' }], { count: 'exact' }))
  assert.equal(count, 2)
})

check('insert many takes a missing key for null', async () => {
  const rows = [{ id: 6, name: 'dog', note: 'own' }, { id: 7, name: 'elk' }]
  const { data } = await good(table().insert(rows).select('note').order('id'))
  assert.deepEqual(data, [{ note: 'own' }, { note: null }])
})

check('insert many with defaultToNull false takes defaults', async () => {
  const rows = [{ id: 6, name: 'dog', note: 'own' }, { id: 7, name: 'elk' }]
  const { data } = await good(table().insert(rows, { defaultToNull: false }).select('note,tags').order('id'))
  assert.deepEqual(data, [{ note: 'own', tags: [] }, { note: 'none', tags: [] }])
})

check('insert of nothing is no failure', async () => {
  const { data, status } = await good(table().insert([]).select())
  assert.deepEqual([data, status], [[], 201])
})

check('insert is all or nothing', async () => {
  await refused(table().insert([{ id: 6, name: 'dog' }, { id: 1, name: 'twice' }]), 409, '23505')
  assert.deepEqual(await ids(all().gt('id', 5)), [])
})

check('insert of an unknown column is refused with 400', async () => {
  await refused(table().insert([{ id: 6, name: 'dog', nothing: 1 }]), 400, 'PGRST204')
})

check('insert against the policy is refused with 403', async () => {
  const error = await refused(table().insert({ id: 6, name: 'dog', legs: 13 }), 403, '42501')
  assert.match(error.message, /row-level security/)
})

check('upsert changes and adds by the primary key', async () => {
  const rows = [{ id: 1, name: 'emmet' }, { id: 6, name: 'dog' }]
  const { data } = await good(table().upsert(rows).select('id,name,legs').order('id'))
  assert.deepEqual(data, [{ id: 1, name: 'emmet', legs: 6 }, { id: 6, name: 'dog', legs: null }])
})

check('upsert with ignoreDuplicates leaves what is there', async () => {
  const rows = [{ id: 1, name: 'emmet' }, { id: 6, name: 'dog' }]
  const { data } = await good(table().upsert(rows, { ignoreDuplicates: true }).select('id'))
  assert.deepEqual(data, [{ id: 6 }])
  assert.equal((await good(table().select('name').eq('id', 1).single())).data.name, 'ant')
})

check('upsert with onConflict of two columns', async () => {
  await good(keeper.from(pairs).delete().gte('a', 0))
  await good(keeper.from(pairs).insert({ a: 1, b: 1 }))
  const rows = [{ a: 1, b: 1, note: 'second' }, { a: 1, b: 2, note: 'first' }]
  await good(keeper.from(pairs).upsert(rows, { onConflict: 'a,b' }))
  const { data } = await good(keeper.from(pairs).select().order('b'))
  assert.deepEqual(data, rows)
})

check('upsert with defaultToNull false takes defaults', async () => {
  await good(keeper.from(pairs).delete().gte('a', 0))
  await good(keeper.from(pairs).upsert([{ a: 1, b: 1, note: 'x' }, { a: 2, b: 2 }], { defaultToNull: false }))
  assert.equal((await good(keeper.from(pairs).select('note').eq('a', 2).single())).data.note, 'none')
})

check('update answers 204', async () => {
  const { data, status } = await good(table().update({ note: 'changed' }).eq('id', 1))
  assert.deepEqual([data, status], [null, 204])
})

check('update tells the changed rows', async () => {
  const { data } = await good(table().update({ note: 'changed' }).lt('id', 3).select('id,note').order('id'))
  assert.deepEqual(data, [{ id: 1, note: 'changed' }, { id: 2, note: 'changed' }])
})

check('update counts', async () => {
  const { count } = await good(table().update({ note: 'changed' }, { count: 'exact' }).gt('id', 3))
  assert.equal(count, 2)
})

check('update writes arrays, JSON and null', async () => {
  const change = { tags: ['x', '"y",'], extra: { deep: [1, { k: null }] }, price: null }
  const { data } = await good(table().update(change).eq('id', 1).select('tags,extra,price').single())
  assert.deepEqual(data, change)
})

check('update with single undoes itself where several match', async () => {
  await refused(table().update({ note: 'changed' }).eq('legs', 6).select().single(), 406, 'PGRST116')
  assert.deepEqual(await ids(all().eq('note', 'changed')), [])
})

check('delete answers 204 and removes what matches', async () => {
  const { status } = await good(table().delete().in('id', [1, 2]))
  assert.equal(status, 204)
  assert.deepEqual(await ids(all()), [3, 4, 5])
})

check('delete tells the removed rows and counts them', async () => {
  const { data, count } = await good(table().delete({ count: 'exact' }).gte('id', 4).select('id').order('id'))
  assert.deepEqual([data, count], [[{ id: 4 }, { id: 5 }], 2])
})

check('maxAffected of too many rows is refused and undone', async () => {
  await refused(table().update({ note: 'changed' }).gt('id', 0).maxAffected(2), 400, 'PGRST124')
  assert.deepEqual(await ids(all().eq('note', 'changed')), [])
})

check('maxAffected lets a change of as many rows be', async () => {
  await good(table().update({ note: 'changed' }).gt('id', 3).maxAffected(2))
  assert.deepEqual(await ids(all().eq('note', 'changed')), [4, 5])
})

// the request itself

check('from tells the rows of a table', async () => {
  assert.deepEqual((await good(keeper.from(beasts).select('id').eq('id', 1))).data, [{ id: 1 }])
})

check('returns', async () => {
  assert.deepEqual((await good(all().eq('id', 1).returns())).data, [{ id: 1 }])
})

check('overrideTypes', async () => {
  assert.deepEqual((await good(all().eq('id', 1).overrideTypes())).data, [{ id: 1 }])
})

check('throwOnError tells what is right as ever', async () => {
  assert.deepEqual((await all().eq('id', 1).throwOnError()).data, [{ id: 1 }])
})

check('setHeader is heard', async () => {
  const { data } = await good(all().eq('id', 1).setHeader('Accept', 'application/vnd.pgrst.object+json'))
  assert.deepEqual(data, { id: 1 })
})

check('abortSignal that is not given up changes nothing', async () => {
  assert.deepEqual((await good(all().eq('id', 1).abortSignal(AbortSignal.timeout(10_000)))).data, [{ id: 1 }])
})

check('then hands the answer on', async () => {
  const { data } = await all().eq('id', 1).then((answer) => answer)
  assert.deepEqual(data, [{ id: 1 }])
})

// schemas and refusals

check('schema chooses another schema', async () => {
  const things = () => keeper.schema(aside).from('things')
  await good(things().insert({ id: 1, name: 'one' }))
  await good(things().update({ name: 'two' }).eq('id', 1))
  assert.deepEqual((await good(things().select())).data, [{ id: 1, name: 'two' }])
  assert.deepEqual((await good(connect(accessToken, aside).from('things').select('name'))).data, [{ name: 'two' }])
  await good(things().delete().eq('id', 1))
})

check('schema that is not there is refused with 406', async () => {
  await refused(keeper.schema('nothing').from('things').select(), 406, 'PGRST106')
})

check('schema that is internal is refused with 406', async () => {
  await refused(keeper.schema('auth').from('users').select(), 406, 'PGRST106')
})

check('from a table that is not there is refused with 404', async () => {
  const error = await refused(keeper.from('nothing_here').select(), 404, 'PGRST205')
  assert.match(error.message, /nothing_here/)
  for (const key of ['details', 'hint']) assert.ok(error[key] === null || typeof error[key] === 'string')
})

check('select and eq of an unknown column are refused with 400', async () => {
  await refused(table().select('nothing'), 400, '42703')
  await refused(table().select().eq('nothing', 1), 400, '42703')
})

check('eq with a value of the wrong type is refused with 400', async () => {
  await refused(table().select().eq('id', 'one'), 400, '22P02')
})

check('filter by an unknown operator is refused with 400', async () => {
  await refused(table().select().filter('id', 'near', 1), 400, 'PGRST100')
})

check('or that does not end is refused with 400', async () => {
  await refused(table().select().or('id.eq.1,and(id.eq.2'), 400, 'PGRST100')
})

check('a forged token is refused with 401', async () => {
  await refused(connect(`${accessToken.slice(0, -6)}AAAAAA`).from(beasts).select(), 401, 'PGRST301')
})

check('no token at all is refused with 401', async () => {
  await refused(connect(null).from(beasts).select(), 401, 'PGRST302')
})

check('the anon key sees no row the policy does not show, and writes none', async () => {
  assert.deepEqual((await good(connect(anonKey).from(beasts).select())).data, [])
  await refused(connect(anonKey).from(beasts).insert({ id: 6, name: 'dog' }), 401, '42501')
})

check('the admin key passes every policy', async () => {
  await good(connect(adminKey).from(beasts).insert({ id: 6, name: 'dog', legs: 13 }))
  assert.equal((await good(connect(adminKey).from(beasts).select('id'))).data.length, 6)
})

afterAll(removeUsers)
afterAll(() => sql(`drop table ${beasts}, ${pairs}; drop schema ${aside} cascade`))
await run(process.argv[2])
