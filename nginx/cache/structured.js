/*
 * Structured: reads the two structured fields a cache needs (RFC 9651), and fails exactly where the RFC says so.
 *
 *     CDN-Cache-Control: max-age=60, no-cache="set-cookie"   dictionary   {"max-age": {type: "integer", value: 60}, …}
 *     Cache-Groups: "shoes", "front"                         list         [{type: "string", value: "shoes"}, …]
 *
 * What always holds: either the whole field parses, or the answer is null and the field counts as absent (RFC 9651 §4.2);
 * a lenient parser would read a policy that the next cache along the path does not see. Parameters are read and dropped.
 */

const BARE_ITEMS = [
    ['decimal', /^-?[0-9]{1,12}\.[0-9]{1,3}/],
    ['integer', /^-?[0-9]{1,15}/],
    ['string', /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/],
    ['token', /^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:\/]*/],
    ['bytes', /^:[A-Za-z0-9+\/=]*:/],
    ['boolean', /^\?[01]/],
    ['date', /^@-?[0-9]{1,15}/],
    ['display', /^%"(?:[\x20\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*"/],
];
const KEY = /^[a-z*][a-z0-9_\-.*]*/;

/* A cursor over `text`; every reader below moves it, or throws on what it can't read. */
function Cursor(text) {
    this.rest = text.replace(/^ +/, '').replace(/ +$/, '');
}

Cursor.prototype.take = function (pattern) {
    const found = pattern.exec(this.rest);
    if (found === null) {
        return null;
    }
    this.rest = this.rest.slice(found[0].length);
    return found[0];
};

Cursor.prototype.need = function (pattern) {
    const found = this.take(pattern);
    if (found === null) {
        throw new SyntaxError('not a structured field');
    }
    return found;
};

function bareItem(cursor) {
    for (let i = 0; i < BARE_ITEMS.length; i++) {
        const text = cursor.take(BARE_ITEMS[i][1]);
        if (text === null) {
            continue;
        }
        const type = BARE_ITEMS[i][0];
        if ((type === 'integer' || type === 'decimal') && /^[0-9.]/.test(cursor.rest)) {
            break;  // sixteen digits, or a second dot: no number of RFC 9651
        }
        return {type: type, value: meaning(type, text)};
    }
    throw new SyntaxError('not an item');
}

function meaning(type, text) {
    switch (type) {
    case 'integer':
    case 'decimal':
        return Number(text);
    case 'boolean':
        return text === '?1';
    case 'string':
        return text.slice(1, -1).replace(/\\(["\\])/g, '$1');
    default:
        return text;
    }
}

function parameters(cursor) {
    while (cursor.take(/^; */) !== null) {
        cursor.need(KEY);
        if (cursor.take(/^=/) !== null) {
            bareItem(cursor);
        }
    }
}

function itemOrInnerList(cursor) {
    let item;
    if (cursor.take(/^\( */) !== null) {
        item = {type: 'list', value: []};
        while (cursor.take(/^\)/) === null) {
            item.value.push(bareItem(cursor));
            parameters(cursor);
            if (!/^\)/.test(cursor.rest)) {
                cursor.need(/^ +/);
            }
        }
    } else {
        item = bareItem(cursor);
    }
    parameters(cursor);
    return item;
}

/* After a member: the end, or a comma with another member behind it (a trailing comma is an error). */
function another(cursor) {
    cursor.take(/^[ \t]+/);
    if (cursor.rest === '') {
        return false;
    }
    cursor.need(/^,[ \t]*/);
    if (cursor.rest === '') {
        throw new SyntaxError('a trailing comma');
    }
    return true;
}

function whole(read, text) {
    try {
        return read(new Cursor(text));
    } catch (error) {
        if (error instanceof SyntaxError) {
            return null;
        }
        throw error;
    }
}

/* The members of a dictionary as [key, item] pairs, the last of equal keys winning; null when it does not parse. */
function dictionary(text) {
    return whole((cursor) => {
        const members = {};
        while (cursor.rest !== '') {
            const key = cursor.need(KEY);
            let item = {type: 'boolean', value: true};
            if (cursor.take(/^=/) !== null) {
                item = itemOrInnerList(cursor);
            } else {
                parameters(cursor);
            }
            members['=' + key] = item;
            if (!another(cursor)) {
                break;
            }
        }
        return Object.keys(members).map((key) => [key.slice(1), members[key]]);
    }, text);
}

/* The members of a list of strings (RFC 9875 §2, §3); null when the field is anything else. */
function strings(text) {
    const members = whole((cursor) => {
        const list = [];
        while (cursor.rest !== '') {
            list.push(itemOrInnerList(cursor));
            if (!another(cursor)) {
                break;
            }
        }
        return list;
    }, text);
    if (members === null || !members.every((item) => item.type === 'string')) {
        return null;
    }
    return members.map((item) => item.value);
}

export default {dictionary, strings};
