/*
 * Fields: what a header field's text means to a cache, however badly it is written.
 *
 *     "max-age=60, private=\"a, b\""  ──directives──▶  {"max-age": {value: "60"}, "private": {value: "a, b"}}
 *     "60"  ──delta──▶  60 (s)        "Thu, 01 Dec 1994 16:00:00 GMT"  ──date──▶  786297600 (s)
 *
 * What always holds: nothing here throws on what an origin or a client may send; what can't be read is undefined, and the
 * caller decides which side is safe. Times are whole seconds since 1970, as HTTP's own dates are.
 */

const DELTA_MAX_S = 2147483648;  // RFC 9111 §1.2.2: what overflows is this

/* A delta-seconds (RFC 9111 §1.2.2) in seconds, or undefined when the text is none: signs, dots and blanks are none. */
function delta(text) {
    if (text === undefined || !/^[0-9]+$/.test(text)) {
        return undefined;
    }
    return text.length > 10 ? DELTA_MAX_S : Math.min(Number(text), DELTA_MAX_S);
}

/*
 * The first member of an Age field in seconds; undefined when it is no non-negative integer (RFC 9111 §5.1).
 */
function age(text) {
    return text === undefined ? undefined : delta(text.split(',')[0].trim());
}

/*
 * One directive at `start`: a name, and after "=" a token or a quoted string, up to the next comma outside quotes.
 * A quote that is never closed is an ordinary character: the directives behind it may forbid something.
 */
const DIRECTIVE = /^[ \t,]*([^=,"]*)(?:=("(?:[^"\\]|\\.)*"(?=[ \t]*(?:,|$))|[^,]*))?[^,]*/;
const QUOTED = /^"(?:[^"\\]|\\.)*"$/;

/*
 * The directives of a Cache-Control text (RFC 9111 §5.2) by lower-case name: {value, conflict}. `value` is undefined
 * without "="; `conflict` says that the name came again with another value (§4.2.1).
 */
function directives(text) {
    const found = {};
    let rest = text;
    while (rest !== '') {
        const match = DIRECTIVE.exec(rest);
        if (match[0] === '') {
            break;
        }
        rest = rest.slice(match[0].length);
        const spelled = match[1];
        const name = spelled.trim().toLowerCase();
        if (name === '') {
            continue;
        }
        let value = match[2];
        if (value !== undefined) {
            // Blanks around "=" are no syntax: kept in the value, so that no number is read out of it.
            value = QUOTED.test(value) ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value.replace(/[ \t]+$/, '');
            if (/[ \t]$/.test(spelled)) {
                value = ' ' + value;
            }
        }
        if (found[name] === undefined) {
            found[name] = {value: value, conflict: false};
        } else if (found[name].value !== value) {
            found[name].conflict = true;
        }
    }
    return found;
}

const MONTHS = {jan: 0, feb: 1, mar: 2, apr: 3, may: 4, jun: 5, jul: 6, aug: 7, sep: 8, oct: 9, nov: 10, dec: 11};
const IMF = /^(?:mon|tue|wed|thu|fri|sat|sun), ([0-9]{2}) ([a-z]{3}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) gmt$/;
const RFC850 =
    /^(?:mon|tues|wednes|thurs|fri|satur|sun)day, ([0-9]{2})-([a-z]{3})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) gmt$/;
const ASCTIME = /^(?:mon|tue|wed|thu|fri|sat|sun) ([a-z]{3}) ([ 0-9][0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([0-9]{4})$/;

/*
 * An HTTP-date (RFC 9110 §5.6.7), any of its three formats, letters of any case (RFC 9111 §4.2), in seconds; undefined
 * when it is none, or its zone is not GMT. `now_s` decides the century of a two-digit year.
 */
function date(text, now_s) {
    if (text === undefined) {
        return undefined;
    }
    const lower = text.trim().toLowerCase();
    let part = IMF.exec(lower);
    if (part !== null) {
        return moment(Number(part[3]), part[2], part[1], part[4], part[5], part[6]);
    }
    part = RFC850.exec(lower);
    if (part !== null) {
        const year_now = new Date(now_s * 1000).getUTCFullYear();
        let year = year_now - year_now % 100 + Number(part[3]);
        if (year > year_now + 50) {
            year -= 100;  // "more than 50 years in the future" is the past (RFC 9110 §5.6.7)
        }
        return moment(year, part[2], part[1], part[4], part[5], part[6]);
    }
    part = ASCTIME.exec(lower);
    return part === null ? undefined : moment(Number(part[6]), part[1], part[2], part[3], part[4], part[5]);
}

function moment(year, month_name, day, hour, minute, second) {
    const month = MONTHS[month_name];
    const at_ms = Date.UTC(year, month === undefined ? NaN : month, Number(day), Number(hour), Number(minute), Number(second));
    if (!(hour < 24 && minute < 60 && second <= 60) || isNaN(at_ms) || Number(day) < 1) {
        return undefined;
    }
    const rolled = second < 60 && new Date(at_ms).getUTCDate() !== Number(day);  // 31 Feb is no date
    return rolled ? undefined : at_ms / 1000;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTH_NAMES = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/* Seconds as an IMF-fixdate. */
function dated(at_s) {
    const at = new Date(at_s * 1000);
    const two = (number) => (number < 10 ? '0' : '') + number;
    return DAYS[at.getUTCDay()] + ', ' + two(at.getUTCDate()) + ' ' + MONTH_NAMES[at.getUTCMonth()] + ' '
        + at.getUTCFullYear() + ' ' + two(at.getUTCHours()) + ':' + two(at.getUTCMinutes()) + ':' + two(at.getUTCSeconds())
        + ' GMT';
}

/* Field names in a comma-separated text (Vary, Connection, no-cache="…"), lower case, without empty members. */
function names(text) {
    return (text || '').toLowerCase().split(',').map((name) => name.trim()).filter((name) => name !== '');
}

/* Does an entity-tag list (If-None-Match) name `etag`, by weak comparison (RFC 9110 §8.8.3.2, §13.1.2)? */
function nominates(list, etag) {
    if (list.trim() === '*') {
        return true;
    }
    const tags = list.match(/(?:W\/)?"[^"]*"/g) || [];
    return etag !== undefined && tags.some((tag) => opaque(tag) === opaque(etag));
}

function opaque(etag) {
    return etag.replace(/^W\//, '');
}

export default {delta, age, directives, date, dated, names, nominates, opaque, DELTA_MAX_S};
