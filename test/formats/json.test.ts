import { describe, expect, it } from 'vitest'
import { duplicateKey } from '../../src/formats/json.ts'

describe('duplicateKey', () => {
  it.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1,"b":2,"a":1}', 'a'],
    ['{"a":{"b":1,"b":2}}', 'b'],
    ['[{"a":1},{"b":[{"c":1,"c":2}]}]', 'c'],
    ['{"\\u0061":1,"a":2}', 'a'],
    ['{"":1,"":2}', ''],
    ['{"a":{"x":1},"b":[1,2],"a":3}', 'a'],
    ['{ "a" : 1 ,\n "a" : 2 }', 'a'],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
    ['{"a\\"b":1,"a\\"b":2}', 'a"b'],
    ['{"\\\\":1,"\\\\":2}', '\\'],
    ['{"\\ud83d\\ude00":1,"😀":2}', '😀'],
  ])('finds it in %s', (text, key) => {
    expect(JSON.parse(text)).toBeDefined()
    expect(duplicateKey(text)).toBe(key)
  })

  it.each([
    '1', '"a"', '[]', '{}', '["a","a","a"]', '{"a":"a","b":"a"}', '{"a":{"a":{"a":1}}}', '[{"a":1},{"a":2}]', '{"a":1,"A":2}',
    '{"a":["b",{"c":1}],"b":2,"c":3}', '{"a":"{\\"a\\":1,\\"a\\":2}"}', '{"x":"y:","y":1}', '{"a":"\\\\","b":"\\\\"}', '{"constructor":1,"toString":2}',
  ])('finds none in %s', (text) => {
    expect(JSON.parse(text)).toBeDefined()
    expect(duplicateKey(text)).toBeUndefined()
  })

  it('reads strings of many megabytes and deep lists', () => {
    const long = JSON.stringify({ a: 'x'.repeat(3e7), b: '\n'.repeat(1e7) })
    expect(duplicateKey(long)).toBeUndefined()
    expect(duplicateKey(`{"a":${'['.repeat(1e6)}${']'.repeat(1e6)},"a":1}`)).toBe('a')
  })
})
