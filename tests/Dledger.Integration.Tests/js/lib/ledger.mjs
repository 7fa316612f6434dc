// What was promised and what came: every acked send and every delivery, and the checks over both.
export class Ledger {
  constructor() {
    this.acks = [];               // { producer, sequence, messageId, offset } in the order of each producer's sends
    this.unknown = 0;             // sends without an answer, or with a failure
    this.deliveries = 0;
    this.copies = new Map();      // "queue/offset" -> { messageId, producer, sequence, queueId, offset, times }
    this.byMessageId = new Map(); // message id -> its copies
    this.clashes = [];            // two messages at one place
  }

  acked(producer, sequence, messageId, offset) {
    this.acks.push({ producer, sequence, messageId, offset });
  }

  received({ queueId, offset, messageId, producer, sequence }) {
    this.deliveries++;
    const place = `${queueId}/${offset}`;
    const known = this.copies.get(place);
    if (!known) {
      const copy = { messageId, producer, sequence, queueId, offset, times: 1 };
      this.copies.set(place, copy);
      const same = this.byMessageId.get(messageId);
      if (same) {
        same.push(copy);
      } else {
        this.byMessageId.set(messageId, [copy]);
      }
    } else if (known.messageId !== messageId) {
      this.clashes.push({ place, first: known.messageId, second: messageId });
    } else {
      known.times++;
    }
  }

  hasAllAcked() {
    return this.acks.every(ack => this.byMessageId.has(ack.messageId));
  }

  verdict() {
    const lost = this.acks.filter(ack => !this.byMessageId.has(ack.messageId));
    const misplaced = [];
    const outOfOrder = [];
    const last = new Map();
    for (const ack of this.acks) {
      const copies = this.byMessageId.get(ack.messageId);
      if (!copies) {
        continue;
      }
      const acked = copies.find(copy => copy.offset === ack.offset);
      if (!acked) {
        misplaced.push({ ...ack, found: copies.map(copy => `${copy.queueId}/${copy.offset}`) });
        continue;
      }
      const line = `${ack.producer}/${acked.queueId}`;
      const previous = last.get(line);
      if (previous !== undefined && acked.offset <= previous.offset) {
        outOfOrder.push({ line, before: previous, after: { sequence: ack.sequence, offset: acked.offset } });
      }
      last.set(line, { sequence: ack.sequence, offset: acked.offset });
    }
    const distinct = new Set([...this.copies.values()].map(copy => `${copy.producer}/${copy.sequence}`));
    return {
      acked: this.acks.length,
      withoutAnswer: this.unknown,
      received: distinct.size,
      lost,
      storedTwice: this.copies.size - distinct.size,
      deliveredAgain: this.deliveries - this.copies.size - this.clashes.length,
      misplaced,
      outOfOrder,
      clashes: this.clashes,
    };
  }
}

export function percentile(values, fraction) {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.ceil(fraction * sorted.length) - 1)];
}
