/*
 * Marks: what the edge has heard of invalidations, in memory that all of nginx's workers share; the reader's side.
 *
 *     edge_lease:  term      ──▶ T, a random name; another one whenever anything is in doubt (control.js)
 *                  l<T>      ──▶ "epoch floor applied deadline", seconds on CLOCK_BOOTTIME
 *     edge_marks:  <T>.<slot> ──▶ the sequence of the last invalidation whose name falls into the slot
 *
 * A stored response carries the term in which it was asked for, the base that its node proved (Tocsin-Base), and the slots
 * of its names. It may be used while the lease lasts, if its term is the present one and neither the floor nor a slot
 * exceeds its base. So an invalidation is one number, whatever it concerns, all variants of a URL fall at once, and a late
 * fill is refused by the same comparison. What always holds:
 *
 * - Missing evidence is a miss. All slots of a term are there from its beginning, so one that is missing was lost, and what
 *   needs it is not used; nor is anything when the lease is.
 * - Nothing of one term is ever compared with anything of another. A worker that was stopped in the middle of the agent's
 *   call and goes on after the agent gave it up writes under a term that nobody reads.
 * - The deadline is compared with the machine's boot clock, which cannot be set; never with the wall clock, which Date is:
 *   stepped back by an hour, it would make a lease of a second last for an hour and a second.
 * - Two names in one slot cost a miss, never a stale hit; and the memory is the same whatever is invalidated.
 */

import fs from 'fs';

const SLOTS = 16384;
const CLOCK = '/proc/uptime';
const CLOCK_STEP_S = 0.01;  // it is told in hundredths, rounded down

/* Seconds since the machine was booted, sleep included, rounded up: a lease then ends early rather than late. */
function clock_s() {
    const text = fs.readFileSync(CLOCK, 'utf8');
    return Number(text.slice(0, text.indexOf(' '))) + CLOCK_STEP_S;
}

/* The same rounded down: what an agent compares its own clock with. */
function clock_told_s() {
    return clock_s() - CLOCK_STEP_S;
}

/* The slot of a name, by FNV-1a over its characters: the same in every worker, and after a reload. */
function slot(name) {
    let hash = 0x811c9dc5;
    for (let i = 0; i < name.length; i++) {
        hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    }
    return (hash >>> 0) % SLOTS;
}

/* The present term as it was written, {term, epoch, floor, applied, deadline_s}; undefined where there is none. */
function present() {
    const leases = ngx.shared.edge_lease;
    const term = leases.get('term');
    const text = term === undefined ? undefined : leases.get('l' + term);
    if (text === undefined) {
        return undefined;
    }
    const parts = text.split(' ');
    return {
        term: term, epoch: parts[0], floor: Number(parts[1]), applied: Number(parts[2]), deadline_s: Number(parts[3]),
    };
}

/*
 * The lease, undefined when there is none that lasts. The lease before the slots. The other way round:
 *
 *     reader: slot = 0 ............................................. deadline: lasts ──▶ uses what 1 invalidated
 *     agent:           lease lapsed, slot = 1, applied = 1, renewed
 *
 * And `applied` comes with it, before the slots: what is then found valid is valid as of at least that sequence.
 */
function lease() {
    const found = present();
    return found !== undefined && clock_s() < found.deadline_s ? found : undefined;
}

/* Has nothing invalidated a stored response, as of at least `held.applied`? */
function stands(held, variant) {
    if (variant.term !== held.term || variant.base < held.floor) {
        return false;
    }
    const marks = ngx.shared.edge_marks;
    const prefix = held.term + '.';
    for (let i = 0; i < variant.slots.length; i++) {
        const mark = marks.get(prefix + variant.slots[i]);
        if (mark === undefined || mark > variant.base) {
            return false;
        }
    }
    return true;
}

/*
 * What a Tocsin-Base proves, "epoch,sequence": the base of a response that was asked for in `term`; undefined when that is
 * not the present term any more, when the node speaks of another epoch, and for anything that is no such field.
 */
function base(text, term) {
    const parts = /^([0-9a-f]{16}),([0-9]{1,15})$/.exec(text || '');
    const now = present();
    if (parts === null || now === undefined || now.term !== term || now.epoch !== parts[1]) {
        return undefined;
    }
    return Number(parts[2]);
}

/*
 * Give a stored response what it will be judged by here, from the answer to the request that began in $edge_term; false when
 * it must not be kept. Where the edge hears nothing, there is nothing to give. `names` are those of its Cache-Groups.
 */
function ground(v, variant, names, immutable) {
    if (!v.edge_hears) {
        return true;
    }
    const said = v.upstream_http_tocsin_base;
    // What can't change while it is fresh (RFC 8246) was not read from anything that is invalidated.
    const proved = !said && immutable && v.edge_term ? Number(v.edge_applied) : base(said, v.edge_term);
    if (proved === undefined) {
        return false;
    }
    variant.term = v.edge_term;
    variant.base = proved;
    variant.slots = names.map(slot);
    return true;
}

export default {clock_told_s, ground, SLOTS, clock_s, slot, present, lease, stands, base};
