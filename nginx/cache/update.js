/*
 * Update: a stored response after the origin confirmed it, by a 304 or by a HEAD (RFC 9111 §3.2, §4.3.4, §4.3.5).
 *
 *     fields kept with the response ─┐
 *     fields of the confirmation ────┴─▶ the policy from now on, and the patch to its fields as they are sent
 *
 * The body and the fields in nginx's cache file can't be changed: the patch is laid over them whenever they are sent.
 * What always holds: a confirmation of another representation changes nothing.
 */

import fields from 'fields.js';
import policy from 'policy.js';
import structured from 'structured.js';

// What the policy is made of, and what a 304 of ours repeats (RFC 9110 §15.4.5).
const KEPT = ['cache-control', 'cdn-cache-control', 'expires', 'date', 'etag', 'last-modified', 'vary', 'cache-groups',
    'content-location'];
const HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
    'proxy-authenticate', 'proxy-authentication-info', 'proxy-authorization'];
// Never taken from a confirmation: about the message and its path, not about the representation (RFC 9111 §3.2).
const NOT_UPDATED = HOP.concat(['age', 'cache-status', 'content-length', 'content-range', 'set-cookie', 'via']);

/* [[name, value], …] as an object by lower-case name, lines of one name joined. */
function joined(lines) {
    const found = {};
    lines.forEach((line) => {
        const name = line[0].toLowerCase();
        found[name] = found[name] === undefined ? line[1] : found[name] + ', ' + line[1];
    });
    return found;
}

/* What is kept beside a stored response for later confirmations. */
function cold(response) {
    const kept = {};
    KEPT.forEach((name) => {
        if (response[name] !== undefined) {
            kept[name] = response[name];
        }
    });
    return {fields: kept, names: Object.keys(response)};
}

/* Is `response`, a 304, about the stored variant? (RFC 9111 §4.3.4: by strong validator, else by weak ones, else by trust.) */
function confirms(variant, response) {
    if (response.etag !== undefined) {
        return variant.etag !== undefined && fields.opaque(variant.etag) === fields.opaque(response.etag);
    }
    return response['last-modified'] === undefined || variant.modified === undefined
        || response['last-modified'] === variant.modified;
}

/* Does a HEAD's 200 agree with the stored response in all it says (RFC 9111 §4.3.5)? */
function agrees(variant, response) {
    const length = response['content-length'];
    return (response.etag === undefined || response.etag === variant.etag)
        && (response['last-modified'] === undefined || response['last-modified'] === variant.modified)
        && (length === undefined || Number(length) === variant.length);
}

/*
 * The variant as it is after the confirmation, {variant, cold, storable}. `times` is {asked_s, arrived_s}.
 */
function confirmed(variant, kept, request, response, times) {
    const now = {};
    Object.keys(kept.fields).forEach((name) => {
        now[name] = kept.fields[name];
    });
    const patch = variant.patch || {};
    const said = Object.assign({}, response);
    if (said.date === undefined) {
        said.date = fields.dated(Math.floor(times.arrived_s));  // RFC 9110 §6.6.1: the time it was received
    }
    const nominated = HOP.concat(fields.names(response.connection));
    Object.keys(said).forEach((name) => {
        if (NOT_UPDATED.indexOf(name) < 0 && nominated.indexOf(name) < 0) {
            now[name] = said[name];
            patch[name] = said[name];
        }
    });
    now.age = response.age;
    const judged = policy.ofResponse(request, now, variant.status, times.asked_s, times.arrived_s);
    judged.withheld.forEach((name) => {
        if (said[name] === undefined) {
            patch[name] = null;
        }
    });
    const fresh = describe(variant.id, variant.status, variant.vary, now, judged);
    fresh.groups = variant.groups;
    fresh.length = variant.length;
    fresh.patch = patch;
    fresh.slots = variant.slots;
    const names = kept.names.concat(Object.keys(said).filter((name) => kept.names.indexOf(name) < 0));
    return {
        variant: fresh, cold: {fields: cold(now).fields, names: names, filled_by: kept.filled_by}, storable: judged.storable, names: judged.groups,
        immutable: judged.immutable,
    };
}

/* A variant as the records hold it. Groups and length are added when they are known. */
function describe(id, status, vary, response, judged) {
    return {
        id: id,
        status: status,
        vary: vary,
        etag: response.etag,
        modified: response['last-modified'],
        date_s: judged.date_s,
        born_s: judged.born_s,
        lifetime_s: judged.lifetime_s,
        no_cache: judged.no_cache,
        strict: judged.strict,
        while_revalidate_s: judged.while_revalidate_s,
        if_error_s: judged.if_error_s,
        groups: [],
    };
}

/* The groups that a Cache-Groups or Cache-Group-Invalidation names; none when it is no list of strings (RFC 9875). */
function groups(text) {
    return text === undefined ? [] : structured.strings(text) || [];
}

export default {groups, joined, cold, confirms, agrees, confirmed, describe, HOP};
