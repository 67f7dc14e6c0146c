import { cannotImport } from '../../errors.ts'

/**
 * A part of training that is loaded when a net, an option or the engine asks for it.
 * @throws LstmError `ENVIRONMENT` where dynamic imports are forbidden
 */
export async function late<Part>(load: () => Promise<Part>, what: string): Promise<Part> {
  try {
    return await load()
  } catch (cause) {
    return cannotImport(cause, what, "import { gradients } from 'lstm-wasm/gradients', createTrainer(net, { gradients })")
  }
}
