/*
 * Selection: which stored response answers a request, and whether the client has it already.
 *
 * What always holds: a response is chosen only when every request field that its Vary names is the same as in the request
 * it answered, but for the blanks around commas and the way lines are split (RFC 9111 §4.1); absent matches absent alone.
 */

import fields from 'fields.js';

/* A request field's lines as one text; null when it is absent. */
function presented(r, name) {
    const joined = r.headersIn[name];
    if (joined === undefined) {
        return null;
    }
    const text = joined.replace(/[ ,\t]+$/, '');  // njs ends a field of several lines with a comma
    return text.indexOf('"') >= 0 || text.indexOf(',') < 0 ? text : text.replace(/[ \t]*,[ \t]*/g, ',');
}

/* The Vary of a response, with the values this request has: [[name, value or null], …], names sorted. */
function signature(r, vary) {
    const names = fields.names(vary).sort();
    return names.filter((name, i) => names.indexOf(name) === i).map((name) => [name, presented(r, name)]);
}

/*
 * The variant to use, undefined when none matches: of several the one with the latest Date, those that have a Vary before
 * those that lack it (RFC 9111 §4.1). `variants` come newest first, which decides between equal Dates.
 */
function choose(r, variants) {
    let best;
    for (let i = 0; i < variants.length; i++) {
        const variant = variants[i];
        if (!variant.vary.every((pair) => presented(r, pair[0]) === pair[1])) {
            continue;
        }
        if (best === undefined || rank(variant) > rank(best)
            || rank(variant) === rank(best) && variant.date_s > best.date_s) {
            best = variant;
        }
    }
    return best;
}

function rank(variant) {
    return variant.vary.length > 0 ? 1 : 0;
}

/* Does the stored 200 answer the request's own preconditions with 304 (RFC 9110 §13.2.2, RFC 9111 §4.3.2)? */
function unmodified(r, variant, now_s) {
    if (variant.status !== 200) {
        return false;
    }
    const nominated = presented(r, 'if-none-match');
    if (nominated !== null) {
        return fields.nominates(nominated, variant.etag);
    }
    const since_s = fields.date(r.headersIn['If-Modified-Since'], now_s);
    if (since_s === undefined) {
        return false;
    }
    const modified_s = fields.date(variant.modified, now_s);
    return (modified_s === undefined ? variant.date_s : modified_s) <= since_s;
}

export default {choose, signature, unmodified};
