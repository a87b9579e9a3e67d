/*
 * Records: what the edge remembers of a URL, in memory that all of nginx's workers share.
 *
 *     u<URL>   ──▶ nonce                      invalidating a URL is deleting this one entry
 *     r<nonce> ──▶ its variants, a row each   whatever was stored under another nonce is unaddressable from then on
 *     f<id>    ──▶ the fields that a revalidation needs; the body lies in nginx's own cache under the same id
 *     groups: g<slot of origin, group> ──▶ the number of its last invalidation; a stored response holds those of its groups
 *
 * Where the edge hears a backplane, a variant also holds its term, its base and its slots: marks.js says what they prove.
 *
 * What always holds: an entry that was evicted is a miss, never a hit, because nonces and ids are random and none is used
 * twice. The nonce is taken before the origin is asked, so that a late fill lands under a dead nonce:
 *
 *     A: miss, nonce n1, asks the origin (old) ................. stores under n1: nobody looks there
 *     B:              PUT, origin changes, u<URL> is deleted
 *     C:                                    miss, nonce n2, asks the origin (new), stores under n2
 */

import marks from 'marks.js';

const VARIANTS_MAX = 16;
const LINGERS_MS = 1000;  // longer than any request needs from reading a record to acting on it

// Zones are looked up per call: a zone is not there yet while the modules are being loaded.
const zone = () => ngx.shared.edge_records;
const groupZone = () => ngx.shared.edge_groups;

const EVERY_GROUP = '#sequence';

function read(key) {
    const text = zone().get(key);
    return text === undefined ? undefined : JSON.parse(text);
}

/* A variant on its way into the zone and out again: a row without names, for njs reads objects five times as slowly. */
function packed(variant) {
    return [variant.id, variant.status, variant.vary, variant.etag, variant.modified, variant.date_s, variant.born_s,
        variant.lifetime_s, variant.no_cache, variant.strict, variant.while_revalidate_s, variant.if_error_s,
        variant.groups, variant.length, variant.patch, variant.term, variant.base, variant.slots];
}

function unpacked(row) {
    return {
        id: row[0], status: row[1], vary: row[2], etag: row[3] || undefined, modified: row[4] || undefined, date_s: row[5],
        born_s: row[6], lifetime_s: row[7], no_cache: row[8], strict: row[9], while_revalidate_s: row[10],
        if_error_s: row[11], groups: row[12], length: row[13], patch: row[14] || undefined, term: row[15], base: row[16],
        slots: row[17],
    };
}

function write(nonce, variants) {
    zone().set('r' + nonce, JSON.stringify(variants.map(packed)));
}

/* The URL's live variants, newest first: {nonce, variants}; undefined for a URL that nothing is known of. */
function look(url) {
    const nonce = zone().get('u' + url);
    if (nonce === undefined) {
        return undefined;
    }
    return {nonce: nonce, variants: under(nonce)};
}

/* The variants stored under a nonce, live or not. */
function under(nonce) {
    return (read('r' + nonce) || []).map(unpacked);
}

/* The nonce under which an answer that is fetched from now on may be stored. `fresh` is a random name for a new one. */
function claim(url, fresh) {
    // `add` and not `set`: two misses at once must share one nonce, or each would make the other's answer unaddressable.
    return zone().add('u' + url, fresh) ? fresh : zone().get('u' + url) || fresh;
}

/* Put `variant` in front of the nonce's variants, in the place of the one with its id or its Vary values. */
function keep(nonce, variant, cold) {
    const vary = JSON.stringify(variant.vary);
    const others = under(nonce).filter((other) => other.id !== variant.id && JSON.stringify(other.vary) !== vary);
    // Read, change, write: of two workers that do this at once one loses its variant, which is a miss later.
    zone().set('f' + variant.id, JSON.stringify(cold));
    write(nonce, [variant].concat(others).slice(0, VARIANTS_MAX));
}

/* Forget one variant. */
function drop(nonce, id) {
    write(nonce, under(nonce).filter((variant) => variant.id !== id));
    zone().delete('f' + id);
}

/* The fields of a variant that only validations and 304s need; undefined when they were evicted. */
function cold(id) {
    return read('f' + id);
}

/* All variants of the URL, stored or on their way, are unaddressable when this returns (RFC 9111 §4.4). */
function invalidate(url) {
    zone().delete('u' + url);
}

/* How many group invalidations there have been: read before the origin is asked, for `numbered`. */
function sequence() {
    return groupZone().get(EVERY_GROUP) || 0;
}

/*
 * The groups with their present numbers, to be stored with a response; undefined when one of them was invalidated after
 * `since`: which groups the response would have, nobody knew when the origin was asked, so it may be too old.
 */
function numbered(origin, groups, since) {
    const numbers = groups.map((group) => {
        const key = keyOf(origin, group);
        return [key, groupZone().get(key) || 0];
    });
    return numbers.every((number) => number[1] <= since) ? numbers : undefined;
}

/* Groups share slots, so that their memory has a bound: two in one slot cost a miss. */
function keyOf(origin, group) {
    return 'g' + marks.slot(origin + ' ' + group);
}

/* Has none of a stored response's groups been invalidated? */
function standing(numbers) {
    return numbers.every((number) => (groupZone().get(number[0]) || 0) === number[1]);
}

/*
 * Invalidate every stored response of these groups, each at the cost of one number (RFC 9875 §2.2.1): how many there had
 * been of all groups. It is given once, so no group comes back to a number that a stored response holds.
 */
function invalidateGroups(origin, groups) {
    groups.forEach((group) => {
        // Between the two steps another worker may store an old answer; the second step ends it:
        //   A: asks the origin (old), since = 5 ............ numbered(): the group's is 4: stored with 4
        //   B:                                   number = 6                                             the group's = 6
        const number = groupZone().incr(EVERY_GROUP, 1, 0);
        groupZone().set(keyOf(origin, group), number);
    });
}

/* May this caller refresh the variant in the background? One at a time; a permission that is never given back lapses. */
function mayRefresh(id, within_ms) {
    return zone().add('b' + id, '1', within_ms);
}

/*
 * The refresh is over. The permission lapses a little later, not now:
 *
 *     A: reads the old record .................................. may refresh: a second time, for nothing
 *     refresh:                writes the new one, gives back
 */
function refreshed(id) {
    zone().set('b' + id, '1', LINGERS_MS);
}

export default {
    look, under, claim, keep, drop, cold, invalidate, sequence, numbered, standing, invalidateGroups, mayRefresh, refreshed,
};
