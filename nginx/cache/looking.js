/*
 * Looking: the short way of the commonest request, one that asks for nothing special and is answered from the store.
 *
 *     a plain GET ──look──▶ one variant, fresh, unchanged since it was stored ──▶ @stored
 *                     └──── anything else ────────────────────────────────────▶ @decide, answering.js
 *
 * What always holds: it says yes only where answering.js would; every doubt is left to that. It exists because njs runs all
 * modules of a location anew for each request: this one imports little, so that a hit does not pay for the other rules.
 */

import marks from 'marks.js';

// The places of a variant's row (records.js, `packed`) that are looked at here.
const ID = 0;
const VARY = 2;
const BORN_S = 6;
const LIFETIME_S = 7;
const NO_CACHE = 8;
const GROUPS = 12;
const PATCH = 14;
const TERM = 15;
const BASE = 16;
const SLOTS = 17;

function look(r) {
    const v = r.variables;
    const zone = ngx.shared.edge_records;
    const nonce = v.edge_plain ? zone.get('u' + v.edge_url) : undefined;
    const text = nonce === undefined ? undefined : zone.get('r' + nonce);
    const rows = text === undefined ? [] : JSON.parse(text);
    // Here the record comes before the lease: what was kept before an invalidation has a base that the slots, read last, refuse.
    const age_s = rows.length === 1 ? Date.now() / 1000 - rows[0][BORN_S] : Infinity;
    if (rows.length !== 1 || !usable(rows[0], age_s, r.headersIn) || v.edge_hears && !proved(v, rows[0])) {
        return r.internalRedirect('@decide');
    }
    v.edge_id = rows[0][ID];
    v.edge_nonce = nonce;
    v.edge_age = String(Math.max(0, Math.floor(age_s)));
    v.edge_member = 'edge; hit; ttl=' + Math.floor(rows[0][LIFETIME_S] - age_s);
    return r.internalRedirect('@stored');
}

function usable(row, age_s, fields) {
    if (!(row[LIFETIME_S] > age_s) || row[NO_CACHE] || row[PATCH]) {
        return false;
    }
    for (let i = 0; i < row[GROUPS].length; i++) {
        if ((ngx.shared.edge_groups.get(row[GROUPS][i][0]) || 0) !== row[GROUPS][i][1]) {
            return false;
        }
    }
    for (let i = 0; i < row[VARY].length; i++) {
        const presented = fields[row[VARY][i][0]];
        if ((presented === undefined ? null : presented) !== row[VARY][i][1]) {
            return false;
        }
    }
    return true;
}

function proved(v, row) {
    const held = marks.lease();
    if (held === undefined || !marks.stands(held, {term: row[TERM], base: row[BASE], slots: row[SLOTS]})) {
        return false;
    }
    if (v.edge_inner) {
        v.edge_base = held.epoch + ',' + Math.max(held.applied, row[BASE]);
    }
    return true;
}

export default {look};
