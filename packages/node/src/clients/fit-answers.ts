// Answers to one request travel in one frame: what would not fit is cut where that is honest, else refused.
import { type Answer, clientReplyBytesMax, limits, REPLIES_HEADER_BYTES } from '@quorate/protocol'

const fits = (answers: readonly Answer[]): boolean =>
  REPLIES_HEADER_BYTES + clientReplyBytesMax({ type: 'answers', requestId: 0, leaderTime: 0, answers }) <=
  limits.frameBytes

/**
 * Answers to commands: the commands are executed, so they must be answered. Lost conditions give up the values that they
 * saw, last ones first, as a repeated answer over 1 KiB does (sessions.md).
 */
export function fitCommandAnswers(answers: readonly Answer[]): readonly Answer[] {
  if (fits(answers)) return answers
  const cut = [...answers]
  for (let at = cut.length - 1; at >= 0; at -= 1) {
    const answer = cut[at]
    if (answer?.type !== 'applied' || answer.result.type !== 'lost' || answer.result.value === null) continue
    cut[at] = { ...answer, result: { ...answer.result, value: null, valueOmitted: true } }
    if (fits(cut)) break
  }
  return cut
}

/** Answers to reads fit or the read is refused as a whole: the client then asks for fewer keys at once. */
export const readAnswersFit: (answers: readonly Answer[]) => boolean = fits
