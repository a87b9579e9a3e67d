/*
 * Policy: what RFC 9111 allows a shared cache to do with one response, and with one request.
 *
 *     fields of the response ──ofResponse──▶ {storable, lifetime_s, born_s, strict, …}     once, when it arrives
 *     Cache-Control of the request ──ofRequest──▶ {no_cache, max_age_s, …}
 *     both, and the clock ──judge──▶ fresh? stale but allowed? to be validated, and why    each time it is asked for
 *
 * What always holds: when two readings of a badly written field are possible, the one that keeps the response for less
 * long is taken. Fields are plain objects by lower-case name, lines of one name already joined by ", ". Seconds.
 */

import fields from 'fields.js';
import structured from 'structured.js';

// In order of priority (RFC 9213 §2.2). The edge works for the origin: it is what that RFC calls a CDN cache.
const TARGETS = ['cdn-cache-control'];

// RFC 9110 §15.1; 206 is left out, because no partial response is stored here.
const HEURISTICALLY_CACHEABLE = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501];
const HEURISTIC_FRACTION = 0.1;
const HEURISTIC_MAX_S = 86400;

// Status codes whose caching rules are all implemented here (must-understand, RFC 9111 §5.2.2.3).
const UNDERSTOOD = HEURISTICALLY_CACHEABLE.concat([
    201, 202, 205, 302, 303, 307, 400, 401, 402, 403, 406, 408, 409, 411, 412, 413, 415, 417, 421, 422, 426, 500, 502, 503,
    504, 505,
]);
const NEVER = [206, 304];  // partial: RFC 9111 §3.3 lets a cache leave them alone; 304 is an answer about a stored one

/* The directives that rule here: the first targeted field that parses and is not empty, else Cache-Control. */
function ruling(response) {
    for (let i = 0; i < TARGETS.length; i++) {
        const text = response[TARGETS[i]];
        const members = text === undefined ? null : structured.dictionary(text);
        if (members !== null && members.length > 0) {
            return {targeted: true, directives: fromDictionary(members)};
        }
    }
    return {targeted: false, directives: fields.directives(response['cache-control'] || '')};
}

/* Members of a wrong type keep their name and get a value that nothing can be read from (RFC 9213 §2.1). */
function fromDictionary(members) {
    const found = {};
    members.forEach((member) => {
        const item = member[1];
        if (item.type === 'boolean') {
            if (item.value) {
                found[member[0]] = {value: undefined, conflict: false};
            }
        } else if (item.type === 'integer') {
            found[member[0]] = {value: String(item.value), conflict: false};
        } else {
            found[member[0]] = {value: ' ' + item.value, conflict: false};
        }
    });
    return found;
}

/* Seconds of a directive: undefined when absent, 0 when it is unreadable or contradicts itself (RFC 9111 §4.2.1). */
function seconds(directive) {
    if (directive === undefined) {
        return undefined;
    }
    const value_s = directive.conflict ? undefined : fields.delta(directive.value);
    return value_s === undefined ? 0 : value_s;
}

/* The freshness lifetime in seconds, and whether the origin stated it (RFC 9111 §4.2.1, §4.2.2). */
function lifetime(response, rule, status, date_s, now_s) {
    const stated = [rule.directives['s-maxage'], rule.directives['max-age']];
    for (let i = 0; i < stated.length; i++) {
        if (stated[i] !== undefined) {
            return {s: seconds(stated[i]), explicit: true};
        }
    }
    if (!rule.targeted && response.expires !== undefined) {
        const expires_s = fields.date(response.expires, now_s);
        // "0", and whatever else is no date, is a time in the past (§5.3).
        return {s: expires_s === undefined ? 0 : Math.max(0, expires_s - date_s), explicit: true};
    }
    const modified_s = fields.date(response['last-modified'], now_s);
    const heuristic = rule.directives.public !== undefined || HEURISTICALLY_CACHEABLE.indexOf(status) >= 0;
    if (!heuristic || modified_s === undefined) {
        return {s: 0, explicit: false, heuristic: heuristic};
    }
    const grown_s = Math.floor(Math.max(0, date_s - modified_s) * HEURISTIC_FRACTION);
    return {s: Math.min(grown_s, HEURISTIC_MAX_S), explicit: false, heuristic: true};
}

/*
 * May a shared cache store this response to a GET (RFC 9111 §3)? Not asked here: whether it is of any use stored.
 */
function mayStore(request, response, rule, status, known) {
    const has = (name) => rule.directives[name] !== undefined;
    if (NEVER.indexOf(status) >= 0 || status < 200 || request.no_store || has('private')) {
        return false;
    }
    if (has('must-understand') && UNDERSTOOD.indexOf(status) < 0) {
        return false;
    }
    if (has('no-store') && !has('must-understand')) {
        return false;
    }
    if (request.authorized && !(has('public') || has('s-maxage') || has('must-revalidate'))) {
        return false;  // §3.5
    }
    if (fields.names(response.vary).indexOf('*') >= 0) {
        return false;  // it would match no request (§4.1)
    }
    if (response['set-cookie'] !== undefined && withheld(rule).indexOf('set-cookie') < 0) {
        return false;  // allowed by the RFC (§7.3), but one user's session is not for the next one
    }
    return known.explicit || known.heuristic || has('public');
}

/* Field names that a qualified no-cache keeps from being reused (RFC 9111 §5.2.2.4). */
function withheld(rule) {
    const directive = rule.directives['no-cache'];
    return directive === undefined || directive.value === undefined ? [] : fields.names(directive.value.trim());
}

/*
 * Everything that later requests need to know of a response. `request`: what ofRequest gave, plus `authorized`.
 * `asked_s` and `arrived_s` are the clock's when the request was sent on and when the response came (§4.2.3).
 */
function ofResponse(request, response, status, asked_s, arrived_s) {
    const rule = ruling(response);
    const has = (name) => rule.directives[name] !== undefined;
    const date_s = fields.date(response.date, arrived_s);
    const generated_s = date_s === undefined ? arrived_s : date_s;
    const known = lifetime(response, rule, status, generated_s, arrived_s);
    const held = withheld(rule);
    const no_cache = has('no-cache') && held.length === 0;
    const validator = response.etag !== undefined || response['last-modified'] !== undefined;
    const while_revalidate_s = seconds(rule.directives['stale-while-revalidate']) || 0;
    const if_error_s = seconds(rule.directives['stale-if-error']) || 0;
    // §4.2.3. The delay counts as age: the response was made somewhere between the asking and the arriving.
    const corrected_s = (fields.age(response.age) || 0) + Math.max(0, arrived_s - asked_s);
    const apparent_s = Math.max(0, Math.floor(arrived_s) - generated_s);
    const usable = known.s > 0 && !no_cache || validator || while_revalidate_s > 0 || if_error_s > 0;
    return {
        storable: usable && mayStore(request, response, rule, status, known),
        lifetime_s: known.s,
        born_s: arrived_s - Math.max(apparent_s, corrected_s),
        date_s: generated_s,
        no_cache: no_cache,
        // Once stale, only a successful validation helps (§4.2.4): an s-maxage forbids as much as must-revalidate does.
        strict: has('must-revalidate') || has('proxy-revalidate') || has('s-maxage') || no_cache,
        while_revalidate_s: while_revalidate_s,
        if_error_s: if_error_s,
        withheld: held,
        immutable: has('immutable') && known.s > 0,
        groups: response['cache-groups'] === undefined ? [] : structured.strings(response['cache-groups']) || [],
    };
}

/* What a request's Cache-Control asks of a cache (RFC 9111 §5.2.1; stale-if-error: RFC 5861 §4). Unreadable: the strict side. */
function ofRequest(text) {
    if (text === undefined) {
        return {};
    }
    const found = fields.directives(text);
    const request = {
        no_cache: found['no-cache'] !== undefined,
        no_store: found['no-store'] !== undefined,
        only_if_cached: found['only-if-cached'] !== undefined,
        max_age_s: seconds(found['max-age']),
        if_error_s: seconds(found['stale-if-error']),
    };
    if (found['min-fresh'] !== undefined) {
        const least_s = fields.delta(found['min-fresh'].value);
        request.min_fresh_s = least_s === undefined ? fields.DELTA_MAX_S : least_s;
    }
    if (found['max-stale'] !== undefined) {
        request.max_stale_s = found['max-stale'].value === undefined ? Infinity : seconds(found['max-stale']);
    }
    return request;
}

/*
 * What may be done with a stored response now: {use, background} or {validate: reason, on_error}. `reason` is a fwd token
 * of RFC 9211 §2.2; `on_error` says that a failed validation may be answered with the stored response (RFC 5861 §4).
 */
function judge(stored, request, now_s) {
    const age_s = now_s - stored.born_s;
    const stale_s = age_s - stored.lifetime_s;  // fresh while the lifetime exceeds the age (§4.2)
    const may_be_stale = !stored.strict && !request.no_cache;
    const window_s = Math.max(stored.if_error_s, request.if_error_s || 0);
    const on_error = may_be_stale && stale_s <= window_s && window_s > 0;
    if (stored.no_cache) {
        return {validate: 'stale', on_error: false};
    }
    const too_old = request.no_cache || request.max_age_s !== undefined && age_s > request.max_age_s
        || request.min_fresh_s !== undefined && -stale_s < request.min_fresh_s;
    if (stale_s < 0) {
        return too_old ? {validate: 'request', on_error: on_error} : {use: true};
    }
    if (may_be_stale && !too_old && request.max_stale_s !== undefined && stale_s <= request.max_stale_s) {
        return {use: true};
    }
    // A client that names a limit of its own does not get what is beyond it for the origin's convenience (§5.2.1.1).
    if (may_be_stale && !too_old && request.max_age_s === undefined && stale_s <= stored.while_revalidate_s
        && stored.while_revalidate_s > 0) {
        return {use: true, background: true};
    }
    return {validate: 'stale', on_error: on_error};
}

export default {ofResponse, ofRequest, judge};
