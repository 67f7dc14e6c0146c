import { afterEach, describe, expect, it, vi } from 'vitest'
import { onlyFile, parseArguments, suggestion } from '../../src/cli/arguments.ts'
import { clearStatus, headline, printable, showProgress, showStatus } from '../../src/cli/terminal.ts'

const OPTIONS = { help: 'boolean', json: 'boolean', input: 'string' } as const

describe('parseArguments', () => {
  it('splits options, values and files', () => {
    const parsed = parseArguments(['a', '--input', 'x', '--json', '--input=-y=z', '-h', '--', '--b'], OPTIONS)
    expect(parsed).toEqual({ positionals: ['a', '--b'], flags: new Set(['json', 'help']), values: new Map([['input', ['x', '-y=z']]]) })
  })

  it.each([
    [['--jsn'], "unknown option '--jsn'; did you mean '--json'?"],
    [['--constructor'], "unknown option '--constructor'"],
    [['-x'], "unknown option '-x'"],
    [['--json=yes'], "--json takes no value, got 'yes'"],
    [['--input'], '--input needs a value'],
    [['--input='], '--input needs a value'],
    [['--input', '--json'], "--input needs a value, got the option '--json'"],
  ])('refuses %j', (args, message) => {
    expect(() => parseArguments(args, OPTIONS)).toThrow(message)
  })

  it('wants one file', () => {
    expect(onlyFile(parseArguments(['a'], OPTIONS), 'one file')).toBe('a')
    expect(() => onlyFile(parseArguments([], OPTIONS), 'one file')).toThrow('expected one file')
    expect(() => onlyFile(parseArguments(['a', 'b'], OPTIONS), 'one file')).toThrow('expected one file, got 2: a b')
  })

  it('suggests what is near', () => {
    const words = ['inspect', 'run']
    expect(['inspct', 'INSPECT', 'rnu', 'runn', 'ru'].map((word) => suggestion(word, words).slice(15)))
      .toEqual(["'inspect'?", "'inspect'?", "'run'?", "'run'?", "'run'?"])
    expect(suggestion('bench', words)).toBe('')
  })
})

describe('the terminal', () => {
  afterEach(() => vi.restoreAllMocks())

  it('never sees control characters from a file', () => {
    expect(printable('a\u001b[31m\u009b\r\u0000\u202eb\nc ü')).toBe('a\\u001b[31m\\u009b\\u000d\\u0000\\u202eb\nc ü')
  })

  it('shows a status on one line, and clears it; elsewhere nothing', () => {
    const { isTTY, columns } = process.stderr
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      Object.assign(process.stderr, { isTTY: true, columns: 20 })
      showStatus('reading a long file name ...')
      showProgress({ loaded: 1234, total: undefined })
      clearStatus()
      expect(write.mock.calls.map(([text]) => text)).toEqual(['\r\u001b[2Kreading a long file', '\r\u001b[2Kdownloading ... 1,2', '\r\u001b[2K'])
      Object.assign(process.stderr, { isTTY: false })
      showStatus('running ...')
      clearStatus()
      expect(write).toHaveBeenCalledTimes(3)
    } finally {
      Object.assign(process.stderr, { isTTY, columns })
    }
  })

  it('gets one line of a message', () => {
    expect(headline('one: line')).toBe('one: line')
    expect(headline('it fails. The list:\n  a\n  b')).toBe('it fails.')
    expect(headline('unsupported operators\n  a')).toBe('unsupported operators')
  })
})
