/*
 * Control: the agent's side of the marks, for the server on the private socket (control.conf). One agent, one call at a time.
 *
 *     agent ── POST /begin   term epoch sequence ──▶ a new term: no lease, every slot at 0, floor = applied = sequence
 *        │──── POST /mark    term sequence, names ─▶ slots of the names = sequence: a part of many names
 *        │──── POST /apply   term sequence, names ─▶ slots of the names = sequence, then applied = sequence
 *        │──── POST /renew   term deadline ────────▶ the lease lasts until then, on the clock of GET /clock
 *        │──── POST /suspend term ─────────────────▶ the lease is over
 *        └──── GET  /clock ────────────────────────▶ this machine's clock, for an agent that has another
 *
 * 204 is yes. 409 says that the term is not the present one, or that something of it was lost: then the agent begins another.
 * So does an agent that got no answer, because a call that was not answered may still be carried out, at any later time:
 *
 *     agent:    apply 7 ─▶ … no answer                    the same through another worker, 8, 9, …, 12, renew
 *     worker 1:   (stopped by SIGSTOP)                                                           goes on: slot = 7
 *
 * What a forgotten call writes has the name of a term that is over. What always holds: the secret is compared before
 * anything else, the socket lies in a folder that only its owner can enter, and no other server listens there.
 */

import crypto from 'crypto';
import marks from 'marks.js';

const TERM = /^[0-9a-f]{8,32}$/;
const EPOCH = /^[0-9a-f]{16}$/;
const WHOLE = /^[0-9]{1,15}$/;
const SECONDS = /^[0-9]{1,12}(?:\.[0-9]{1,9})?$/;

/* Both through a digest: a comparison that ends at the first difference would tell how much of a guess is right. */
function authentic(r) {
    const digest = (text) => crypto.createHash('sha256').update(text).digest('hex');
    const secret = r.variables.edge_secret;
    return secret !== '' && digest(r.headersIn['Tocsin-Secret'] || '') === digest(secret);
}

function write(term, now) {
    ngx.shared.edge_lease.set('l' + term, [now.epoch, now.floor, now.applied, now.deadline_s].join(' '));
}

/*
 * A new term. Everything stored before has another one, so it is unaddressable from the last line on. Before it, readers find
 * either the old term without a lease, or none.
 */
function begin(words) {
    const term = words[0];
    if (!EPOCH.test(words[1]) || !WHOLE.test(words[2])) {
        return 400;
    }
    const leases = ngx.shared.edge_lease;
    leases.clear();
    const slots = ngx.shared.edge_marks;
    slots.clear();
    for (let i = 0; i < marks.SLOTS; i++) {
        slots.set(term + '.' + i, 0);
    }
    write(term, {epoch: words[1], floor: Number(words[2]), applied: Number(words[2]), deadline_s: 0});
    leases.set('term', term);
    return 204;
}

function mark(now, words, names) {
    if (!WHOLE.test(words[1])) {
        return 400;
    }
    const sequence = Number(words[1]);
    const slots = ngx.shared.edge_marks;
    for (let i = 0; i < names.length; i++) {
        if (names[i] === '*') {
            now.floor = Math.max(now.floor, sequence);
            write(now.term, now);
        } else if (!slots.replace(now.term + '.' + marks.slot(names[i]), sequence)) {
            return 409;  // a slot that is gone may have been of use to somebody
        }
    }
    return 204;
}

/* Slots, then `applied`: a reader that sees the position sees the marks. */
function apply(now, words, names) {
    const status = mark(now, words, names);
    if (status === 204) {
        now.applied = Number(words[1]);
        write(now.term, now);
    }
    return status;
}

function renew(now, words) {
    if (!SECONDS.test(words[1])) {
        return 400;
    }
    now.deadline_s = Math.max(now.deadline_s, Number(words[1]));
    write(now.term, now);
    return 204;
}

function suspend(now) {
    now.deadline_s = 0;
    write(now.term, now);
    return 204;
}

function called(r) {
    if (r.method === 'GET' && r.uri === '/clock') {
        return 200;
    }
    if (r.method !== 'POST') {
        return 404;
    }
    const lines = (r.requestText || '').split('\n');
    const words = lines[0].split(' ');
    if (!TERM.test(words[0])) {
        return 400;
    }
    if (r.uri === '/begin') {
        return begin(words);
    }
    const now = marks.present();
    if (now === undefined || now.term !== words[0]) {
        return 409;
    }
    switch (r.uri) {
    case '/mark':
        return mark(now, words, lines.slice(1));
    case '/apply':
        return apply(now, words, lines.slice(1));
    case '/renew':
        return renew(now, words);
    case '/suspend':
        return suspend(now);
    default:
        return 404;
    }
}

function control(r) {
    let status = 403;
    if (authentic(r)) {
        try {
            status = called(r);
        } catch (error) {
            if (!(error instanceof SharedMemoryError)) {
                throw error;
            }
            status = 507;  // the marks do not fit: what is left of the term must not be believed
            ngx.shared.edge_lease.clear();
        }
    }
    r.return(status, status === 200 ? String(marks.clock_told_s()) : undefined);
}

export default {control};
