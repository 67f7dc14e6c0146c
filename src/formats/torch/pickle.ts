// Python's pickle format, protocols 0 to 5: https://docs.python.org/3/library/pickletools.html
// A pickle is a program for a stack machine that may import and call anything. This machine imports and calls
// nothing: names become `PickleGlobal`, calls are handed to a `PickleWorld` that knows a few harmless ones.
import { LstmError } from '../../errors.ts'
import type { Budget } from '../budget.ts'
import { malformedFile } from '../malformed.ts'
import { PackedObject } from './packed-object.ts'
import { PickleBytes } from './pickle-bytes.ts'

const malformed = malformedFile('pickle')

/** Something a pickle names to import: a function or a class. */
export class PickleGlobal {
  /** `collections.OrderedDict` */
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** An object of a class that is not known. Nothing of it is kept, unless it is a module of PyTorch. */
export class ForeignObject {
  /** The class or function that would have made it. */
  readonly name: string
  /** Its attributes, where it has what a torch.nn.Module has, or is one of TorchScript. */
  state: ReadonlyMap<unknown, unknown> | undefined

  get isModule(): boolean {
    return this.state !== undefined
  }

  constructor(name: string) {
    this.name = name
  }
}

/** What the calls of a pickle mean. */
export interface PickleWorld {
  /** The result of calling a global that is no `ForeignObject`'s. @throws LstmError `FORMAT` */
  call(name: string, args: readonly unknown[]): unknown
  /** What a persistent id stands for. @throws LstmError `FORMAT` */
  persistent(id: unknown): unknown
  /** Whether a global is known; others make foreign objects. */
  knows(name: string): boolean
}

/** What an empty list or dictionary takes. */
const CONTAINER_BYTES = 200
/** What the memo takes for an object. */
const MEMO_BYTES = 64
const MARK = Symbol('mark')
const EMPTY_TUPLE: readonly unknown[] = Object.freeze([])

/** Runs one pickle. */
export class PickleMachine {
  /** Names of globals that are not known, in order. */
  readonly foreign: Set<string> = new Set()
  readonly #bytes: PickleBytes
  readonly #world: PickleWorld
  readonly #stack: unknown[] = []
  readonly #memo: Map<number, unknown> = new Map()
  readonly #budget: Budget

  /** @param budget pays for the objects that are made: small files can make many */
  constructor(bytes: PickleBytes, world: PickleWorld, budget: Budget) {
    this.#bytes = bytes
    this.#world = world
    this.#budget = budget
  }

  /**
   * The object that the pickle makes; the bytes behind it are left.
   * @throws LstmError `FORMAT` for a broken pickle
   */
  run(): unknown {
    for (;;) {
      const at = this.#bytes.position
      const opcode = this.#bytes.uint8()
      if (opcode === 0x2e) return this.#pop()
      if (!this.#constant(opcode) && !this.#container(opcode) && !this.#memory(opcode) && !this.#object(opcode)) {
        throw malformed(`unknown opcode 0x${opcode.toString(16).padStart(2, '0')} at byte ${at}`)
      }
    }
  }

  /** Numbers, text, bytes, None, True, False. */
  #constant(opcode: number): boolean {
    const bytes = this.#bytes
    switch (opcode) {
      case 0x4e: return this.#push(null) // N
      case 0x88: return this.#push(true)
      case 0x89: return this.#push(false)
      case 0x4a: return this.#push(bytes.uint32() | 0) // J
      case 0x4b: return this.#push(bytes.uint8()) // K
      case 0x4d: return this.#push(bytes.uint16()) // M
      case 0x8a: return this.#push(bytes.integer(bytes.uint8()))
      case 0x8b: return this.#push(bytes.integer(bytes.uint32()))
      case 0x49: return this.#push(bytes.decimalOrFlag()) // I
      case 0x4c: return this.#push(bytes.decimal()) // L
      case 0x46: return this.#push(bytes.decimalFloat()) // F
      case 0x47: return this.#push(bytes.float64()) // G
      case 0x53: return this.#push(bytes.quoted()) // S
      case 0x54: return this.#push(bytes.latin1(bytes.uint32())) // T
      case 0x55: return this.#push(bytes.latin1(bytes.uint8())) // U
      case 0x56: return this.#push(bytes.escapedLine()) // V
      case 0x58: return this.#push(bytes.utf8(bytes.uint32())) // X
      case 0x8c: return this.#push(bytes.utf8(bytes.uint8()))
      case 0x8d: return this.#push(bytes.utf8(bytes.uint64()))
      case 0x42: return this.#push(bytes.take(bytes.uint32())) // B
      case 0x43: return this.#push(bytes.take(bytes.uint8())) // C
      case 0x8e: case 0x96: return this.#push(bytes.take(bytes.uint64()))
      default: return false
    }
  }

  #container(opcode: number): boolean {
    switch (opcode) {
      case 0x28: return this.#push(MARK) // (
      case 0x29: return this.#push(EMPTY_TUPLE) // )
      case 0x85: return this.#push(this.#tuple(1))
      case 0x86: return this.#push(this.#tuple(2))
      case 0x87: return this.#push(this.#tuple(3))
      case 0x74: case 0x6c: case 0x91: return this.#push(this.#made(this.#popToMark())) // t l, frozenset
      case 0x5d: case 0x8f: return this.#push(this.#made([])) // ], set
      case 0x7d: return this.#push(this.#made(new Map())) // }
      case 0x64: { // d
        const items = this.#popToMark()
        return this.#setItems(this.#made(new Map()), items, true)
      }
      case 0x61: return this.#append([this.#pop()]) // a
      case 0x65: case 0x90: return this.#append(this.#popToMark()) // e, set
      case 0x73: { // s
        const value = this.#pop()
        const key = this.#pop()
        return this.#setItems(this.#top(), [key, value])
      }
      case 0x75: { // u
        const items = this.#popToMark()
        return this.#setItems(this.#top(), items)
      }
      default: return false
    }
  }

  /** The memo, the stack itself, and what frames a pickle. */
  #memory(opcode: number): boolean {
    const bytes = this.#bytes
    switch (opcode) {
      case 0x80: { // PROTO
        const protocol = bytes.uint8()
        if (protocol > 5) throw new LstmError('UNSUPPORTED', `pickle: expected protocol 0 to 5, got ${protocol}`)
        return true
      }
      case 0x95: // FRAME: its length is a hint for buffering
        bytes.uint64()
        return true
      case 0x30: // 0
        this.#pop()
        return true
      case 0x31: // 1
        this.#popToMark()
        return true
      case 0x32: return this.#push(this.#top()) // 2
      case 0x67: return this.#get(bytes.decimal()) // g
      case 0x68: return this.#get(bytes.uint8()) // h
      case 0x6a: return this.#get(bytes.uint32()) // j
      case 0x70: return this.#put(bytes.decimal()) // p
      case 0x71: return this.#put(bytes.uint8()) // q
      case 0x72: return this.#put(bytes.uint32()) // r
      case 0x94: return this.#put(this.#memo.size)
      default: return false
    }
  }

  /** Imports and calls: all that would be dangerous. */
  #object(opcode: number): boolean {
    const bytes = this.#bytes
    switch (opcode) {
      case 0x63: return this.#push(this.#global(bytes.line(), bytes.line())) // c
      case 0x93: {
        const name = this.#pop()
        const module = this.#pop()
        if (typeof module !== 'string' || typeof name !== 'string') throw malformed('expected the name of a global as text')
        return this.#push(this.#global(module, name))
      }
      case 0x50: return this.#push(this.#world.persistent(bytes.line())) // P
      case 0x51: return this.#push(this.#world.persistent(this.#pop())) // Q
      case 0x52: case 0x81: { // R, NEWOBJ
        const args = this.#pop()
        return this.#push(this.#call(this.#pop(), args))
      }
      case 0x92: { // NEWOBJ_EX
        this.#pop()
        const args = this.#pop()
        return this.#push(this.#call(this.#pop(), args))
      }
      case 0x69: { // i
        const made = this.#global(bytes.line(), bytes.line())
        return this.#push(this.#call(made, this.#popToMark()))
      }
      case 0x6f: { // o
        const [made, ...args] = this.#popToMark()
        return this.#push(this.#call(made, args))
      }
      case 0x62: { // b
        const state = this.#pop()
        const object = this.#top()
        if (object instanceof PackedObject) object.state = state
        // Attributes of known objects (a state dict's _metadata) say nothing about weights.
        if (object instanceof ForeignObject && state instanceof Map && (state.has('_modules') || object.name.startsWith('__torch__.'))) object.state = state
        return true
      }
      default: return false
    }
  }

  #global(module: string, name: string): PickleGlobal {
    // Python 2's names for the same things.
    const full = `${module === '__builtin__' ? 'builtins' : module}.${name}`
    if (!this.#world.knows(full)) this.foreign.add(full)
    return new PickleGlobal(full)
  }

  #call(callee: unknown, args: unknown): unknown {
    if (callee instanceof ForeignObject) return new ForeignObject(callee.name)
    if (!(callee instanceof PickleGlobal)) throw malformed('expected a class or function to call')
    if (!Array.isArray(args)) throw malformed(`expected a tuple of arguments for ${callee.name}`)
    this.#budget.visit('pickle')
    if (this.#world.knows(callee.name)) return this.#world.call(callee.name, args)
    // copyreg._reconstructor(class, base, state): protocols 0 and 1 make objects by way of this function.
    const made: unknown = args[0]
    return new ForeignObject(made instanceof PickleGlobal ? made.name : callee.name)
  }

  #append(items: readonly unknown[]): boolean {
    const list = this.#top()
    if (list instanceof ForeignObject) return true
    if (!Array.isArray(list) || Object.isFrozen(list)) throw malformed('expected a list to append to')
    for (const item of items) list.push(item)
    return true
  }

  #setItems(dict: unknown, items: readonly unknown[], push: boolean = false): boolean {
    if (dict instanceof ForeignObject) return true
    if (!(dict instanceof Map)) throw malformed('expected a dictionary to set items of')
    if (items.length % 2 !== 0) throw malformed('expected a value for every key of a dictionary')
    for (let n = 0; n < items.length; n += 2) dict.set(items[n], items[n + 1])
    return push ? this.#push(dict) : true
  }

  #get(key: number | bigint): boolean {
    if (!this.#memo.has(Number(key))) throw malformed(`memo ${key} is read before it is written`)
    return this.#push(this.#memo.get(Number(key)))
  }

  #put(key: number | bigint): boolean {
    const known = this.#memo.size
    this.#memo.set(Number(key), this.#top())
    if (this.#memo.size > known) this.#budget.take(MEMO_BYTES, 'pickle')
    return true
  }

  #made<T>(container: T): T {
    this.#budget.visit('pickle')
    this.#budget.take(CONTAINER_BYTES, 'pickle')
    return container
  }

  #tuple(length: number): unknown[] {
    const items = Array.from({ length }, () => this.#pop())
    return this.#made(items.reverse())
  }

  #push(value: unknown): true {
    this.#stack.push(value)
    return true
  }

  #pop(): unknown {
    const value = this.#top()
    this.#stack.pop()
    return value
  }

  #top(): unknown {
    const value = this.#stack.at(-1)
    if (value === undefined || value === MARK) throw malformed(`expected an object on the stack before byte ${this.#bytes.position}`)
    return value
  }

  #popToMark(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK)
    if (mark < 0) throw malformed(`expected a mark on the stack before byte ${this.#bytes.position}`)
    const items = this.#stack.splice(mark)
    items.shift()
    return items
  }
}
