"""Mutants: our edge with one rule taken out, for the requirements that stock nginx meets anyway.

A test that passes on every cache proves nothing. Each of these tests must fail on the mutant named beside it, or it is
in NO_MUTANT with the reason. Text that is not found in the rules any more is an error: a mutant must be alive.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is replaced, `(file in nginx/cache, text, by)`, and the tests that must notice."""

    changes: tuple[tuple[str, str, str], ...]
    noticed_by: tuple[str, ...]


MUTANTS = {
    "its own 504 claims to come from the store": Mutant(
        (
            (
                "answering.js",
                "'application/problem+json';",
                "'application/problem+json'; r.headersOut['Cache-Status'] = 'edge; hit';",
            ),
        ),
        ("test_an_answer_of_the_edge_s_own_has_no_member",),
    ),
    "writes are looked up like reads": Mutant(
        (
            ("answering.js", "method !== 'GET' && method !== 'HEAD'", "method === 'OPTIONS'"),
            (
                "locations.conf",
                "proxy_cache_convert_head off;",
                "proxy_cache_convert_head off; proxy_cache_methods GET HEAD POST;",
            ),
        ),
        ("test_unsafe_methods_are_always_written_through", "test_only_an_answer_to_get_is_reused_for_get"),
    ),
    "the first status is believed, interim or not": Mutant(
        (("receiving.js", "if (status >= 200) {", "if (status > 0) {"),),
        ("test_an_interim_response_is_not_the_answer",),
    ),
    "request directives are kept from the origin": Mutant(
        (("asking.conf", "proxy_set_header Via $edge_via;", 'proxy_set_header Cache-Control "";'),),
        ("test_cache_directives_are_passed_through_both_ways",),
    ),
    "TE goes further than one hop": Mutant(
        (("asking.conf", "proxy_set_header Via $edge_via;", "proxy_set_header TE $http_te;"),),
        ("test_fields_of_the_client_s_hop_do_not_reach_the_origin",),
    ),
    "private is ignored": Mutant(
        (("policy.js", "request.no_store || has('private')", "request.no_store"),),
        ("test_what_forbids_reuse_wins_over_any_lifetime", "test_fields_that_are_private_are_not_reused"),
    ),
    "Age is read leniently": Mutant(
        (("fields.js", "delta(text.split(',')[0].trim())", "Math.abs(parseInt(text, 10))"),),
        ("test_an_age_that_is_invalid_or_small_leaves_a_response_fresh",),
    ),
    "heuristics for any status": Mutant(
        (("policy.js", "HEURISTICALLY_CACHEABLE.indexOf(status) >= 0;", "true;"),),
        ("test_other_status_codes_have_no_heuristic_lifetime",),
    ),
    "a lifetime of zero counts as none stated": Mutant(
        (("policy.js", "if (stated[i] !== undefined) {", "if (seconds(stated[i]) > 0) {"),),
        ("test_no_heuristic_contradicts_what_is_stated",),
    ),
    "only well-known statuses are stored": Mutant(
        (("policy.js", "const NEVER = [206, 304];", "const NEVER = [206, 304, 299, 499, 599];"),),
        ("test_any_final_status_may_be_stored_where_the_origin_says_how_long",),
    ),
    "weak tags in If-Range are good enough": Mutant(
        (("answering.js", "fields['If-Range'].indexOf('W/') === 0", "false"),),
        ("test_a_weak_if_range_gets_no_part_from_the_store",),
    ),
    "failed writes invalidate": Mutant(
        (("receiving.js", "status >= 200 && status < 400", "status >= 200"),),
        ("test_a_write_that_fails_invalidates_nothing",),
    ),
    "only GET is known to be safe": Mutant(
        (
            (
                "receiving.js",
                "const SAFE = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY'];",
                "const SAFE = ['GET'];",
            ),
        ),
        ("test_a_safe_method_invalidates_nothing", "test_a_group_invalidation_in_answer_to_a_safe_method_is_ignored"),
    ),
    "any origin may invalidate": Mutant(
        (("reference.js", "if (plain(scheme + '//' + part[2].toLowerCase()) !== plain(origin)) {", "if (false) {"),),
        ("test_another_origin_s_urls_are_not_invalidated",),
    ),
    "the host is not in the key": Mutant(
        (("cache.conf", 'default "$edge_origin$request_uri";', 'default "$request_uri";'),),
        ("test_a_write_to_another_host_does_not_invalidate",),
    ),
    "the query is not in the key": Mutant(
        (("cache.conf", 'default "$edge_origin$request_uri";', 'default "$edge_origin$uri";'),),
        ("test_the_whole_query_is_part_of_the_key",),
    ),
    "tokens name groups": Mutant(
        (("structured.js", "members.every((item) => item.type === 'string')", "true"),),
        ("test_groups_are_compared_exactly_and_only_where_they_are_strings",),
    ),
    "groups of all origins are one": Mutant(
        (("records.js", "marks.slot(origin + ' ' + group)", "marks.slot(group)"),),
        ("test_groups_belong_to_one_origin",),
    ),
    "the Age that was stored is sent as well": Mutant(
        (("stored.conf", "proxy_hide_header Age;", ""),),
        ("test_the_age_of_a_reused_response_replaces_the_one_it_came_with",),
    ),
    "unknown fields are not reused": Mutant(
        (("stored.conf", "proxy_hide_header Age;", "proxy_hide_header Age; proxy_hide_header X-Unheard-Of;"),),
        ("test_all_fields_are_stored_also_unknown_ones",),
    ),
    "answers to authorized requests are never stored": Mutant(
        (("policy.js", "has('public') || has('s-maxage') || has('must-revalidate')", "false"),),
        ("test_an_answer_to_authorization_is_reused_where_the_origin_allows_it",),
    ),
    "authorized requests are never answered from the store": Mutant(
        (("answering.js", "if (verdict.use) {", "if (verdict.use && !request.authorized) {"),),
        ("test_what_was_stored_for_everybody_answers_authorized_requests_too",),
    ),
    "the end of a long body is lost": Mutant(
        (("receiving.js", "held = Buffer.from(data);", "held = Buffer.from(data.slice(0, 512));"),),
        ("test_a_body_of_any_size_comes_back_as_it_was",),
    ),
    "no answer is no error": Mutant(
        (("locations.conf", "error_page 500 502 503 504 = @failed;", "error_page 500 503 504 = @failed;"),),
        ("test_stale_if_error_takes_the_place_of_a_broken_connection",),
    ),
    "min-fresh is never content": Mutant(
        (("policy.js", "-stale_s < request.min_fresh_s;", "true;"),),
        ("test_a_client_that_is_content_with_what_is_stored_gets_it",),
    ),
    "a broken targeted field forbids storing": Mutant(
        (
            (
                "structured.js",
                "            return null;",
                "            return [['no-store', {type: 'boolean', value: true}]];",
            ),
        ),
        ("test_a_targeted_field_that_does_not_parse_is_ignored",),
    ),
    "other caches' fields are ours": Mutant(
        (
            (
                "policy.js",
                "const TARGETS = ['cdn-cache-control'];",
                "const TARGETS = ['other-cache-control', 'cdn-cache-control'];",
            ),
        ),
        ("test_a_field_for_other_caches_changes_nothing_and_passes",),
    ),
    "a targeted lifetime starts here": Mutant(
        (("policy.js", "(fields.age(response.age) || 0)", "(rule.targeted ? 0 : fields.age(response.age) || 0)"),),
        ("test_age_counts_against_a_targeted_lifetime",),
    ),
    "a 304 updates nothing that is sent": Mutant(
        (("update.js", "patch[name] = said[name];", ""),),
        ("test_a_304_updates_the_stored_fields",),
    ),
    "the answer to a validation is not stored": Mutant(
        (
            (
                "receiving.js",
                "variant === undefined ? '1' : '';",
                "variant === undefined || v.edge_validating ? '1' : '';",
            ),
        ),
        ("test_a_full_answer_to_a_validation_replaces_what_was_stored",),
    ),
    "errors are always covered": Mutant(
        (("policy.js", "stale_s <= window_s && window_s > 0;", "true;"),),
        ("test_an_error_in_answer_to_a_validation_reaches_the_client",),
    ),
    "a date may hold where a tag does not": Mutant(
        (
            (
                "selection.js",
                "if (nominated !== null) {",
                "if (nominated !== null && fields.nominates(nominated, variant.etag)) {",
            ),
        ),
        ("test_a_fresh_response_answers_a_condition_that_fails_in_full",),
    ),
    "an answer that became a 304 is not recorded": Mutant(
        (("receiving.js", " || r.status === 304) {", ") {"),),
        ("test_a_condition_that_holds_for_the_answer_of_a_miss_stores_it_whole",),
    ),
    "only the first field of a Vary counts": Mutant(
        (("selection.js", "fields.names(vary).sort();", "fields.names(vary).sort().slice(0, 1);"),),
        ("test_every_field_of_a_vary_list_counts",),
    ),
    "one variant at a time": Mutant(
        (("records.js", "const VARIANTS_MAX = 16;", "const VARIANTS_MAX = 1;"),),
        ("test_variants_are_kept_side_by_side",),
    ),
}

# Requirements that stock nginx meets, and that none of our rules could break alone.
NO_MUTANT = {
    "test_trailers_are_not_merged_into_the_header": "nginx itself drops trailers; there is no rule of ours to take out",
    "test_a_range_that_can_t_be_read_is_no_reason_for_wrong_bytes": "nginx itself reads and cuts ranges",
    "test_a_response_that_broke_off_is_not_reused": (
        "two rules guard it, and each is enough: the record waits for the end of the body, and nginx keeps no half body"
    ),
}


def apply(mutant: Mutant, rules: Path) -> None:
    """Change a copy of nginx/cache."""
    for name, text, by in mutant.changes:
        file = rules / name
        before = file.read_text(encoding="utf-8")
        assert before.count(text) == 1, f"{name} has {text!r} {before.count(text)} times: the mutant is dead"
        file.write_text(before.replace(text, by), encoding="utf-8")
