/*
 * Answering: what happens to a request, decided when it comes in, and again when an attempt has failed.
 *
 *     answer ──▶ @stored / @patched        the body is in nginx's cache: send it with Age and Cache-Status
 *        │  └──▶ 304, 504                  from memory alone
 *        ├─────▶ @fetch                    nothing to use: ask the origin, store what may be stored
 *        ├─────▶ @validate[_or_stale]      ask the origin with our validators;  304 ─▶ validated,  5xx ─▶ failed
 *        └─────▶ @forward                  neither answered from the cache nor stored: other methods, ranges, HEAD
 *     lost ───▶ answer again               the record was there but the body had been evicted
 *
 * What always holds: the origin is asked at most once per decision, and every decision is counted against DECISIONS_MAX.
 * Locations can't see each other's JavaScript state, so what the next step needs is in variables ($edge_…, cache.conf).
 */

import marks from 'marks.js';
import policy from 'policy.js';
import records from 'records.js';
import selection from 'selection.js';
import session from 'session.js';
import update from 'update.js';

const DECISIONS_MAX = 3;
const REFRESH_MS = 30000;  // a background refresh that has not ended by then no longer stops another one

// Fields that a 304 may bring for the first time; those the stored response has are asked for anyway. nginx tells the
// fields of an intercepted answer only by name.
const EXPECTED = ['accept-ch', 'accept-ranges', 'alt-svc', 'content-disposition', 'content-encoding', 'content-language',
    'content-security-policy', 'content-type', 'link', 'permissions-policy', 'referrer-policy', 'server',
    'server-timing', 'strict-transport-security', 'surrogate-control', 'surrogate-key', 'x-content-type-options',
    'x-frame-options', 'cache-control', 'cdn-cache-control', 'cache-groups', 'content-location', 'date', 'etag', 'expires',
    'last-modified', 'vary', 'age', 'connection'];

const clock_s = () => Date.now() / 1000;

/* What the client asks of a cache, and what makes its answer somebody's own. */
function asked(r) {
    const request = policy.ofRequest(r.headersIn['Cache-Control']);
    request.authorized = r.headersIn.Authorization !== undefined;
    return request;
}

function answer(r) {
    const method = r.method;
    if (method !== 'GET' && method !== 'HEAD') {
        return forward(r, 'method');
    }
    const fields = r.headersIn;
    if (r.variables.edge_apart) {
        return forward(r, 'bypass');
    }
    if (fields['If-Match'] !== undefined || fields['If-Unmodified-Since'] !== undefined
        || fields['If-Range'] !== undefined && fields['If-Range'].indexOf('W/') === 0) {
        return forward(r, 'bypass');  // preconditions that are the origin's to judge (RFC 9111 §4.3.2)
    }
    const request = asked(r);
    const v = r.variables;
    // The lease before the record: what is then found to stand was so as of a moment when the edge could prove it.
    const held = v.edge_hears ? marks.lease() : undefined;
    const seen = v.edge_secret ? session.presented(r) : undefined;
    const blind = v.edge_hears ? blindness(held, seen) : '';
    if (blind) {
        return request.only_if_cached ? nothing(r) : forward(r, 'bypass; detail=' + blind);
    }
    const known = records.look(v.edge_url);
    const live = known === undefined ? [] : known.variants.filter((variant) => usable(held, variant));
    const variant = selection.choose(r, live);
    const now_s = clock_s();
    let verdict = variant === undefined ? {validate: live.length > 0 ? 'vary-miss' : 'uri-miss'}
        : policy.judge(variant, request, now_s);
    if (held !== undefined && variant !== undefined) {
        const proved = Math.max(held.applied, variant.base);
        if (seen !== undefined && seen.sequence > proved) {
            verdict = {validate: 'request', on_error: false};  // the session has seen more than is proved here
        }
        // What names nothing can't change, so it shows nothing; and its cookie would cost its being kept by the client.
        const watermark = variant.slots.length > 0 ? session.raised(seen, held.epoch, proved, v.edge_secret) : '';
        told(v, watermark, held.epoch + ',' + proved);
    }
    if (verdict.use) {
        if (verdict.background) {
            refresh(r, variant, known.nonce, now_s);
        }
        const ttl_s = Math.floor(variant.lifetime_s - (now_s - variant.born_s));
        return send(r, variant, known.nonce, 'edge; hit; ttl=' + ttl_s, now_s);
    }
    if (request.only_if_cached) {
        return nothing(r);
    }
    return ask(r, variant, verdict, now_s);
}

/*
 * What goes with an answer from the store: to a client its session's watermark, '' where there is nothing to say; to another
 * edge of ours, which stands before us, what a node would tell it.
 */
function told(v, watermark, base) {
    v.edge_cookie = watermark && !v.edge_inner ? session.line(watermark) : '';
    v.edge_watermark = v.edge_inner ? watermark : '';
    v.edge_base = v.edge_inner ? base : '';
}

/*
 * Why an edge that hears a backplane can't use what it holds: it can prove nothing (`lease`), or this session has seen what
 * nobody was told of yet, or another epoch (`session`). '' when it can.
 */
function blindness(held, seen) {
    if (held === undefined) {
        return 'lease';
    }
    return seen !== undefined && (seen.pending || seen.epoch !== held.epoch) ? 'session' : '';
}

/* Has nothing invalidated a stored response, as far as this edge knows (`held`: its lease, where it hears)? */
function usable(held, variant) {
    return records.standing(variant.groups) && (held === undefined || marks.stands(held, variant));
}

function nothing(r) {
    r.headersOut['Content-Type'] = 'application/problem+json';
    r.return(504, '{"type":"about:blank","title":"Gateway Timeout","status":504,'
        + '"detail":"nothing is stored that may answer this, and only-if-cached forbids to ask for it"}\n');
}

/* Send a stored response, or a 304 if the client has it. */
function send(r, variant, nonce, member, now_s, age_s) {
    const v = r.variables;
    const age = age_s === undefined ? String(Math.max(0, Math.floor(now_s - variant.born_s))) : age_s;
    if (selection.unmodified(r, variant, now_s)) {
        const kept = records.cold(variant.id);
        if (kept !== undefined) {
            v.edge_filled_by = kept.filled_by || '';
            return notModified(r, kept.fields, member, age);
        }
    }
    v.edge_id = variant.id;
    v.edge_nonce = nonce;
    v.edge_age = age;
    v.edge_member = member;
    if (variant.patch === undefined && !v.edge_cookie) {
        return r.internalRedirect('@stored');
    }
    const own = v.edge_cookie ? {'cache-control': session.CACHE_CONTROL} : {};
    v.edge_patch = JSON.stringify(Object.assign({}, variant.patch, own));
    return r.internalRedirect('@patched');
}

function notModified(r, kept, member, age) {
    Object.keys(kept).forEach((name) => {
        if (name !== 'last-modified' || kept.etag === undefined) {
            r.headersOut[name] = kept[name];
        }
    });
    if (age !== '') {
        r.headersOut.Age = age;
    }
    const v = r.variables;
    if (v.edge_cookie) {
        r.headersOut['Set-Cookie'] = [v.edge_cookie];
        r.headersOut['cache-control'] = session.CACHE_CONTROL;
    }
    [['Tocsin-Base', v.edge_base], ['Tocsin-Watermark', v.edge_watermark]].filter((field) => field[1]).forEach((field) => {
        r.headersOut[field[0]] = field[1];
    });
    if (!v.edge_tells_cdn) {
        delete r.headersOut['cdn-cache-control'];
    }
    r.headersOut['Cache-Status'] = member;
    r.status = 304;
    r.sendHeader();
    r.finish();
}

/* Ask the origin, with the stored response's validators if there are any. */
function ask(r, variant, verdict, now_s) {
    const v = r.variables;
    if (r.method === 'HEAD') {
        return forward(r, verdict.validate);
    }
    v.edge_strict = variant !== undefined && variant.strict ? '1' : '';
    const validators = variant !== undefined && (variant.etag !== undefined || variant.modified !== undefined);
    if (!validators && !verdict.on_error) {
        return r.headersIn.Range === undefined ? fetch(r, verdict.validate) : forward(r, verdict.validate);
    }
    begin(r, verdict.validate);
    nominate(v, variant);
    return r.internalRedirect(verdict.on_error ? '@validate_or_stale' : '@validate');
}

/* The next request to the origin asks about this variant alone: what the client asked is answered from the outcome. */
function nominate(v, variant) {
    v.edge_validating = variant.id;
    v.edge_if_none_match = variant.etag || '';
    v.edge_if_modified_since = variant.modified || '';
    v.edge_range = '';
    v.edge_if_range = '';
}

/* What must be known from before the origin is asked (records.js says why). */
function begin(r, reason) {
    const v = r.variables;
    v.edge_reason = reason;
    v.edge_nonce = records.claim(v.edge_url, v.edge_fill);
    v.edge_sequence = String(records.sequence());
    v.edge_asked_s = String(clock_s());
    v.edge_unstorable = '1';
    remember(v);
}

/* In which term this request is asked: its answer may be kept in no other. */
function remember(v) {
    const now = v.edge_hears ? marks.present() : undefined;
    v.edge_term = now === undefined ? '' : now.term;
    v.edge_applied = now === undefined ? '' : String(now.applied);
}

function fetch(r, reason) {
    begin(r, reason);
    const v = r.variables;
    if (v.edge_secret) {
        // Nodes of ours answer in full, and nginx turns that into the client's 304: or the clients that have an answer
        // would keep the edge from ever getting one for those that don't.
        v.edge_if_none_match = '';
        v.edge_if_modified_since = '';
    }
    r.internalRedirect('@fetch');
}

function forward(r, reason) {
    r.variables.edge_reason = reason;
    r.variables.edge_asked_s = String(clock_s());
    remember(r.variables);  // a HEAD may renew what is stored
    r.internalRedirect('@forward');
}

/* Serve stale now, validate meanwhile (RFC 5861 §3). */
function refresh(r, variant, nonce, now_s) {
    if (!records.mayRefresh(variant.id, REFRESH_MS)) {
        return;
    }
    const v = r.variables;
    v.edge_refresh_nonce = nonce;
    v.edge_sequence = String(records.sequence());
    v.edge_asked_s = String(now_s);
    remember(v);
    nominate(v, variant);
    r.subrequest('/.edge/refresh', {method: 'GET', detached: true});
}

function find(nonce, id) {
    return records.under(nonce).filter((variant) => variant.id === id)[0];
}

/* The origin answered 304 to our validators. */
function validated(r) {
    const v = r.variables;
    const variant = find(v.edge_nonce, v.edge_validating);
    const kept = records.cold(v.edge_validating);
    if (variant === undefined || kept === undefined) {
        return again(r);
    }
    const said = {};
    kept.names.concat(EXPECTED).forEach((name) => {
        const value = v['upstream_http_' + name.replace(/-/g, '_')];
        if (value) {
            said[name] = value;
        }
    });
    if (!update.confirms(variant, said)) {
        return again(r);
    }
    const now_s = clock_s();
    const times = {asked_s: Number(v.edge_asked_s), arrived_s: now_s};
    const result = update.confirmed(variant, kept, asked(r), said, times);
    result.storable = result.storable && marks.ground(v, result.variant, result.names, result.immutable);
    if (result.storable) {
        records.keep(v.edge_nonce, result.variant, result.cold);
    } else {
        records.drop(v.edge_nonce, variant.id);
    }
    told(v, v.upstream_http_tocsin_watermark || '', v.upstream_http_tocsin_base || '');
    const member = 'edge; fwd=' + v.edge_reason + '; fwd-status=304' + (result.storable ? '; stored' : '')
        + '; ttl=' + Math.floor(result.variant.lifetime_s - (now_s - result.variant.born_s));
    const age_s = Math.floor(now_s - result.variant.born_s);
    // Validated for this very request: an Age would deny that (RFC 9111 §5.1), unless another cache answered.
    return send(r, result.variant, v.edge_nonce, member, now_s, said.age !== undefined || age_s > 0 ? String(age_s) : '');
}

/* The origin failed, and the stored response may be used in its place (RFC 5861 §4). */
function failed(r) {
    const v = r.variables;
    const variant = find(v.edge_nonce, v.edge_validating);
    const held = v.edge_hears ? marks.lease() : undefined;
    // Seconds may have passed: what was good enough to be validated may not be good enough to be used any more.
    if (variant === undefined || v.edge_hears && held === undefined || !usable(held, variant)) {
        return again(r);
    }
    const now_s = clock_s();
    const ttl_s = Math.floor(variant.lifetime_s - (now_s - variant.born_s));
    const member = 'edge; fwd=' + v.edge_reason + '; fwd-status=' + v.upstream_status.slice(-3) + '; ttl=' + ttl_s
        + '; detail=stale-if-error';
    return send(r, variant, v.edge_nonce, member, now_s);
}

/* The origin's answer is about something that is not stored (any more): ask once more, without validators. */
function again(r) {
    const v = r.variables;
    v.edge_if_none_match = '';
    v.edge_if_modified_since = '';
    v.edge_validating = '';
    if (spent(v)) {
        return forward(r, 'miss');
    }
    return fetch(r, 'miss');
}

/* The record was there, the body was not. */
function lost(r) {
    const v = r.variables;
    records.drop(v.edge_nonce, v.edge_id);
    return spent(v) ? forward(r, 'miss') : answer(r);
}

function spent(v) {
    v.edge_decisions = String(Number(v.edge_decisions) + 1);
    return Number(v.edge_decisions) >= DECISIONS_MAX;
}

export default {answer, validated, failed, lost, asked};
