import { joinFamilies, type GradientFamily } from '../family.ts'
import { usual } from '../usual/family.ts'
import { family as ctc } from './ctc.ts'
import { family as embedding } from './embedding.ts'
import { family as esr } from './esr.ts'
import { family as general } from './general.ts'
import { family as gru } from './gru.ts'
import { family as lstm } from './lstm.ts'
import { family as rnn } from './rnn.ts'
import { family as windows } from './windows.ts'

/** Every family, for places that load nothing later. */
export const allFamilies = (): GradientFamily => joinFamilies([usual(), ctc, embedding, esr, general, gru, lstm, rnn, windows])
