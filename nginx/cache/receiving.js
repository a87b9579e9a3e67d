/*
 * Receiving: what happens to an answer of the origin on its way through: stored, or the reason for forgetting something.
 *
 *     origin ─▶ header filter: decides, sets $edge_unstorable ─▶ nginx writes the body to its cache ─▶ client
 *                                                └─▶ body filter, at the end: only now is the record written
 *
 * What always holds: a record never names a body that is still being written or broke off, or a reader would wait for it,
 * or be sent half of it. (nginx evaluates proxy_no_cache after the header filters: that is what makes this possible.)
 */

import answering from 'answering.js';
import fields from 'fields.js';
import marks from 'marks.js';
import policy from 'policy.js';
import records from 'records.js';
import reference from 'reference.js';
import selection from 'selection.js';
import session from 'session.js';
import update from 'update.js';

// Every other method may change something, also one that nobody here knows (RFC 9110 §9.2.1, RFC 9111 §4.4).
const SAFE = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY'];

let pending;  // between the header filter and the end of the body: {nonce, variant, cold, sequence}
let length = 0;
let expected;  // the body's length, if the origin has told it
let held;
let instead;  // what is sent in the place of nginx's own error page

/* Remove what was meant for this hop alone (RFC 9110 §7.6.1) and return the rest by lower-case name. */
function arrived(r) {
    update.HOP.concat(fields.names(r.variables.upstream_http_connection)).forEach((name) => {
        if (name !== 'connection' && name !== 'transfer-encoding' && r.headersOut[name] !== undefined) {
            delete r.headersOut[name];
        }
    });
    const response = update.joined(r.rawHeadersOut);
    if (response.date === undefined) {
        response.date = fields.dated(Math.floor(Date.now() / 1000));  // RFC 9110 §6.6.1: the time it was received
        r.headersOut.Date = response.date;
    }
    ['content-type', 'content-length'].forEach((name) => {
        const value = r.variables['upstream_http_' + name.replace('-', '_')];  // nginx keeps these two out of the list
        if (value) {
            response[name] = value;
        }
    });
    return response;
}

/*
 * The origin's status: nginx has turned a 200 into a 304 by the time this runs, if the client's condition holds.
 * $upstream_status names the first of several, so behind an interim response it is of no use.
 */
function statusOf(r) {
    const status = Number((r.variables.upstream_status || '').slice(-3));
    if (status >= 200) {
        return status;
    }
    return r.status === 304 ? 200 : r.status;
}

/*
 * What a node said to the edge alone. To another edge of ours, which stands before us, we say it too; for everybody else the
 * watermark becomes the session's cookie, and the base and what only those who hear may do with the answer end here.
 */
function handed(r) {
    const v = r.variables;
    if (v.edge_inner) {
        [['Tocsin-Base', v.upstream_http_tocsin_base], ['Tocsin-Watermark', v.upstream_http_tocsin_watermark]]
            .filter((field) => field[1]).forEach((field) => {
                r.headersOut[field[0]] = field[1];
            });
        return;
    }
    if (!v.edge_tells_cdn && v.upstream_http_tocsin_base) {
        delete r.headersOut['CDN-Cache-Control'];
    }
    if (v.edge_secret && v.upstream_http_tocsin_watermark) {
        r.headersOut['Set-Cookie'] =
            (r.headersOut['Set-Cookie'] || []).concat([session.line(v.upstream_http_tocsin_watermark)]);
        if (/^public/.test(v.upstream_http_cache_control)) {
            r.headersOut['Cache-Control'] = session.CACHE_CONTROL;
        }
    }
}

/* Our member of Cache-Status, behind those of the caches before us (RFC 9211 §2). */
function sign(r, stored, ttl_s) {
    const status = statusOf(r);
    const member = 'edge; fwd=' + r.variables.edge_reason + (status !== r.status ? '; fwd-status=' + status : '')
        + (stored ? '; stored; ttl=' + Math.floor(ttl_s) : '');
    const others = r.variables.upstream_http_cache_status;
    r.headersOut['Cache-Status'] = others ? others + ', ' + member : member;
}

/* An answer in full, to @fetch, @validate or a refresh: the variant it makes, undefined when it may not be stored. */
function judged(r, response) {
    const v = r.variables;
    const status = statusOf(r);
    const arrived_s = Date.now() / 1000;
    const found = policy.ofResponse(answering.asked(r), response, status, Number(v.edge_asked_s), arrived_s);
    if (!found.storable) {
        return undefined;
    }
    const vary = selection.signature(r, response.vary);
    const variant = update.describe(v.edge_fill, status, vary, response, found);
    if (!marks.ground(v, variant, found.groups, found.immutable)) {
        return undefined;
    }
    variant.groups = found.groups;
    const patch = {};
    let patched = false;
    const hidden = found.withheld.concat(fields.names(v.upstream_http_connection), update.HOP);
    hidden.forEach((name) => {
        // In nginx's cache file all fields lie as they came.
        if (name !== 'connection' && name !== 'transfer-encoding' && v['upstream_http_' + name.replace(/-/g, '_')]) {
            patch[name] = null;
            patched = true;
        }
    });
    if (v.upstream_http_date === undefined || v.upstream_http_date === '') {
        patch.date = response.date;
        patched = true;
    }
    if (patched) {
        variant.patch = patch;
    }
    return variant;
}

/* What is kept beside a stored response, and which worker gave it. */
function remembered(v, response) {
    const cold = update.cold(response);
    cold.filled_by = v.upstream_http_x_worker || undefined;
    return cold;
}

/* Header filter of @fetch, @validate and @validate_or_stale. */
function received(r) {
    const v = r.variables;
    const response = arrived(r);
    const variant = judged(r, response);
    handed(r);
    pending = undefined;
    v.edge_unstorable = variant === undefined ? '1' : '';
    if (variant !== undefined) {
        pending = {nonce: v.edge_nonce, variant: variant, cold: remembered(v, response), sequence: Number(v.edge_sequence)};
        expected = response['content-length'] === undefined ? undefined : Number(response['content-length']);
        if (statusOf(r) === 204 || r.status === 304) {
            commit(r);  // nothing is sent, so nobody will tell us that it has all been; who is too early asks again
        }
    } else if (v.edge_validating && statusOf(r) < 500) {
        records.drop(v.edge_nonce, v.edge_validating);  // the origin has replaced it by something that is not for us
    }
    if (v.edge_strict && r.status === 502 && !/[0-9]/.test(v.upstream_header_time)) {
        // No answer came, and what is stored may not be used without one: that has a status of its own (§5.2.2.2).
        r.status = 504;
        r.headersOut['Content-Type'] = 'text/plain';
        delete r.headersOut['Content-Length'];
        instead = 'The origin did not answer, and what is stored may not be used without its consent.\n';
        return;
    }
    sign(r, variant !== undefined, variant === undefined ? 0 : variant.lifetime_s - (Date.now() / 1000 - variant.born_s));
}

/*
 * Body filter of the same: count, pass on, and at the end write the record. The last bytes are held back until then:
 *
 *     A: has read the whole answer, asks again (or tells B to) ........ a miss
 *     nginx:                                          closes the file, record written
 */
function collected(r, data, flags) {
    if (instead !== undefined) {
        r.sendBuffer(flags.last ? instead : '', flags);
        return;
    }
    if (pending === undefined) {
        r.sendBuffer(data, flags);
        return;
    }
    length += data.length;
    if (flags.last) {
        pending.variant.length = length;
        commit(r);
    }
    if (held !== undefined) {
        const before = held;
        held = undefined;
        if (flags.last && data.length === 0) {
            r.sendBuffer(before, flags);
            return;
        }
        r.sendBuffer(before, {last: false});
    }
    if (!flags.last && (expected === undefined || length >= expected)) {
        held = Buffer.from(data);  // a copy: nginx uses this memory again
        return;
    }
    r.sendBuffer(data, flags);
}

function commit(r) {
    const found = pending;
    pending = undefined;
    const numbers = records.numbered(r.variables.edge_origin, found.variant.groups, found.sequence);
    if (numbers !== undefined) {
        found.variant.groups = numbers;
        records.keep(found.nonce, found.variant, found.cold);
    }
}

/* Header filter of @forward: what passes through may still end or renew what is stored. */
function forwarded(r) {
    const response = arrived(r);
    const status = statusOf(r);
    const v = r.variables;
    handed(r);
    sign(r, false);
    if (SAFE.indexOf(r.method) < 0) {
        if (status >= 200 && status < 400) {
            invalidated(v, response);
        }
    } else if (r.method === 'HEAD' && status === 200) {
        freshened(r, response);
    }
}

/* A write succeeded (RFC 9111 §4.4): its target, and what the origin names on the same origin. */
function invalidated(v, response) {
    records.invalidate(v.edge_url);
    ['location', 'content-location'].forEach((name) => {
        const url = response[name] === undefined ? undefined : reference.resolve(v.edge_origin, v.request_uri, response[name]);
        if (url !== undefined) {
            records.invalidate(url);
        }
    });
    // What is no list of strings names no groups (RFC 9875 §3).
    records.invalidateGroups(v.edge_origin, update.groups(response['cache-group-invalidation']));
}

/* A HEAD's 200 renews the GET response that would have answered it, or says that it is out of date (RFC 9111 §4.3.5). */
function freshened(r, response) {
    const v = r.variables;
    const known = records.look(v.edge_url);
    const variant = known === undefined ? undefined : selection.choose(r, known.variants);
    const kept = variant === undefined ? undefined : records.cold(variant.id);
    if (kept === undefined || variant.status !== 200) {
        return;
    }
    if (update.agrees(variant, response)) {
        const times = {asked_s: Number(v.edge_asked_s), arrived_s: Date.now() / 1000};
        const result = update.confirmed(variant, kept, answering.asked(r), response, times);
        if (result.storable && marks.ground(v, result.variant, result.names, result.immutable)) {
            records.keep(known.nonce, result.variant, result.cold);
            return;
        }
    }
    records.drop(known.nonce, variant.id);
}

/* Header filter of a background refresh: its answer goes to nobody. */
function refreshed(r) {
    const v = r.variables;
    const response = arrived(r);
    v.edge_unstorable = '1';
    if (statusOf(r) === 304) {
        renewed(r, response);
    } else {
        replaced(r, response);
    }
    records.refreshed(v.edge_validating);
}

function renewed(r, response) {
    const v = r.variables;
    const nonce = v.edge_refresh_nonce;
    const id = v.edge_validating;
    const variant = records.under(nonce).filter((one) => one.id === id)[0];
    const kept = records.cold(id);
    if (variant !== undefined && kept !== undefined && update.confirms(variant, response)) {
        const times = {asked_s: Number(v.edge_asked_s), arrived_s: Date.now() / 1000};
        const result = update.confirmed(variant, kept, answering.asked(r), response, times);
        if (result.storable && marks.ground(v, result.variant, result.names, result.immutable)) {
            records.keep(nonce, result.variant, result.cold);
            return;
        }
    }
    records.drop(nonce, id);
}

function replaced(r, response) {
    const v = r.variables;
    const variant = judged(r, response);
    if (variant !== undefined) {
        v.edge_unstorable = '';
        pending = {
            nonce: v.edge_refresh_nonce, variant: variant, cold: remembered(v, response), sequence: Number(v.edge_sequence),
        };
        commit(r);  // nobody reads this answer, so there is no end to wait for: a reader waits for the body (stored.conf)
    } else if (statusOf(r) < 500) {
        records.drop(v.edge_refresh_nonce, v.edge_validating);
    }
}

/* Header filter of @patched: the fields as they are since the last validation. */
function patched(r) {
    const patch = JSON.parse(r.variables.edge_patch);
    Object.keys(patch).forEach((name) => {
        if (patch[name] === null || name === 'cdn-cache-control' && !r.variables.edge_tells_cdn) {
            delete r.headersOut[name];
        } else {
            r.headersOut[name] = patch[name];
        }
    });
}

export default {received, collected, forwarded, refreshed, patched};
