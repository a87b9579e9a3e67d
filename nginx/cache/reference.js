/*
 * Reference: a Location or Content-Location as the URL that records are kept under.
 *
 *     "http://shop", "/a/b?c", "../d" ──▶ "http://shop/d"
 *
 * What always holds: a reference to another origin is no URL here, so that nobody can empty another's store.
 */

/*
 * A URI reference as the URL that records are kept under; undefined when it is on another origin (RFC 3986 §5.2,
 * RFC 9110 §4.3.1).
 */
function resolve(origin, base, text) {
    const part = /^([A-Za-z][A-Za-z0-9+.\-]*:)?(?:\/\/([^\/?#]*))?([^?#]*)(\?[^#]*)?/.exec(text.trim());
    const scheme = origin.slice(0, origin.indexOf(':') + 1);
    if (part[1] !== undefined && (part[1].toLowerCase() !== scheme || part[2] === undefined)) {
        return undefined;
    }
    if (part[2] !== undefined) {
        const standard = scheme === 'https:' ? ':443' : ':80';
        const plain = (text) => text.slice(-standard.length) === standard ? text.slice(0, -standard.length) : text;
        if (plain(scheme + '//' + part[2].toLowerCase()) !== plain(origin)) {
            return undefined;
        }
        return origin + (dotless(part[3]) || '/') + (part[4] || '');
    }
    const path = base.split('?')[0];
    if (part[3] === '') {
        return origin + (part[4] === undefined ? base : path + part[4]);
    }
    const whole = part[3][0] === '/' ? part[3] : path.slice(0, path.lastIndexOf('/') + 1) + part[3];
    return origin + dotless(whole) + (part[4] || '');
}

function dotless(path) {
    const out = [];
    const segments = path.split('/');
    segments.forEach((segment, i) => {
        if (segment === '..') {
            if (out.length > 1) {
                out.pop();
            }
        } else if (segment !== '.') {
            out.push(segment);
            return;
        }
        if (i === segments.length - 1) {
            out.push('');
        }
    });
    return out.join('/');
}

export default {resolve};
