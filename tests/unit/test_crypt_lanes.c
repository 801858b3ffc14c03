/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"
#include "crypto/crypt.h"
#include "unit/vectors.h"

/* What another library than GnuTLS makes of a packet is what GnuTLS makes of it, and it touches no
 * octet beside those that it was given: a page that may not be read stands right before or behind.
 */

#define SIDE_BY_SIDE 17 /* one more than there are lanes */
#define ROOM 1640

/* ---- octets between forbidden pages ---- */

struct fenced {
    uint8_t *room; /* the whole mapping: fence, pages, fence */
    size_t page, inside;
};

static struct fenced fence(size_t len)
{
    struct fenced fenced = {.page = (size_t)sysconf(_SC_PAGESIZE)};

    fenced.inside = (len / fenced.page + 1) * fenced.page;
    fenced.room =
        mmap(NULL, fenced.inside + 2 * fenced.page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(fenced.room, MAP_FAILED);
    ck_assert_int_eq(mprotect(fenced.room + fenced.page, fenced.inside, PROT_READ | PROT_WRITE), 0);
    return fenced;
}

/* `len` octets that begin, or end, at a fence. */
static uint8_t *beside_fence(const struct fenced *fenced, size_t len, bool at_end)
{
    return fenced->room + fenced->page + (at_end ? fenced->inside - len : 0);
}

static void fence_free(const struct fenced *fenced)
{
    munmap(fenced->room, fenced->inside + 2 * fenced->page);
}

/* ---- every suite ---- */

struct pair {
    const struct alg *encr, *integ;
    struct crypt *gnutls, *fastest;
};

static void for_each_pair(void (*one)(const struct pair *))
{
    static const uint8_t key[64] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 255, 254, 253};
    struct crypt_lanes *lanes;
    const struct alg *encr;
    const struct alg *integ;

    ck_assert_uint_eq(crypt_lanes_new(&lanes, CRYPT_FASTEST), OK);
    for (size_t i = 0; (encr = alg_at(i)) != NULL; i++) {
        bool alone = (encr->flags & ALG_AEAD) != 0;

        for (size_t j = 0; encr->type == TRANSFORM_ENCR && (integ = alg_at(j)) != NULL; j++) {
            struct bytes encr_key = bytes_of(key, crypt_encr_key_len(encr));
            struct pair pair = {.encr = encr, .integ = alone ? NULL : integ};
            struct bytes integ_key = bytes_of(key, crypt_integ_key_len(pair.integ));

            if (alone ? j == 0 : integ->type == TRANSFORM_INTEG) {
                ck_assert_uint_eq(
                    crypt_new_in(&pair.gnutls, NULL, encr, pair.integ, encr_key, integ_key), OK);
                ck_assert_uint_eq(
                    crypt_new_in(&pair.fastest, lanes, encr, pair.integ, encr_key, integ_key), OK);
                one(&pair);
                crypt_free(pair.gnutls);
                crypt_free(pair.fastest);
            }
        }
    }
    crypt_lanes_free(lanes);
}

/* ---- the same octets, and no others ---- */

struct row {
    struct fenced fences[SIDE_BY_SIDE], aad_fence, tail_fence;
    struct crypt_message messages[SIDE_BY_SIDE];
    uint8_t sealed[SIDE_BY_SIDE][ROOM]; /* by GnuTLS: header, message */
};

/* The header stands before the message, where its own octets are the associated data of a suite
 * with a MAC; those of an AEAD with ESN stand beside a fence of their own, as `outside`. */
static void fill(struct row *row, const struct pair *pair, size_t at, size_t text_len, bool at_end,
                 struct bytes outside, struct bytes tail)
{
    size_t len = pair->encr->iv_octets + text_len + crypt_icv_len(pair->gnutls);
    size_t header_len = outside.len > 0 ? 0 : 8;
    uint8_t *begin = beside_fence(&row->fences[at], header_len + len, at_end);
    struct crypt_message *message = &row->messages[at];
    struct bytes aad;

    for (size_t i = 0; i < header_len + len; i++) {
        begin[i] = (uint8_t)(i * 7 + at);
    }
    memcpy(row->sealed[at], begin, header_len + len);
    *message =
        (struct crypt_message){.aad = outside.len > 0 ? outside : bytes_of(begin, header_len),
                               .mac_tail = tail,
                               .data = begin + header_len,
                               .len = len,
                               .counter = UINT64_C(0x100000000) * at + text_len};
    aad = outside.len > 0 ? outside : bytes_of(row->sealed[at], header_len);
    ck_assert_uint_eq(crypt_seal(pair->gnutls, message->counter, aad, tail,
                                 row->sealed[at] + header_len + pair->encr->iv_octets, text_len),
                      OK);
}

static void seal_row(struct row *row, const struct pair *pair, size_t n)
{
    crypt_seal_batch(pair->fastest, row->messages, n);
    for (size_t i = 0; i < n; i++) {
        const struct crypt_message *message = &row->messages[i];
        size_t before = message->aad.data + message->aad.len == message->data ? 8 : 0;

        ck_assert_uint_eq(message->err, OK);
        ck_assert_octets(bytes_of(message->data - before, before + message->len),
                         bytes_of(row->sealed[i], before + message->len));
    }
}

/* Every third one damaged, at a place that moves. */
static void open_row(struct row *row, const struct pair *pair, size_t n)
{
    uint8_t plaintext[ROOM];

    for (size_t i = 0; i < n; i += 3) {
        row->messages[i].data[(i * 31) % row->messages[i].len] ^= (uint8_t)(1u << (i % 8));
    }
    crypt_open_batch(pair->fastest, row->messages, n);
    for (size_t i = 0; i < n; i++) {
        const struct crypt_message *message = &row->messages[i];
        size_t before = message->aad.data + message->aad.len == message->data ? 8 : 0;

        ck_assert_uint_eq(message->err, i % 3 == 0 ? ERR_INTEGRITY : OK);
        for (size_t j = 0; j < message->text_len; j++) {
            plaintext[j] = (uint8_t)((before + pair->encr->iv_octets + j) * 7 + i);
        }
        ck_assert_octets(bytes_of(message->text, message->text_len),
                         bytes_of(plaintext, message->text_len));
    }
}

static void row_begin(struct row *row)
{
    for (size_t i = 0; i < SIDE_BY_SIDE; i++) {
        row->fences[i] = fence(ROOM);
    }
    row->aad_fence = fence(12);
    row->tail_fence = fence(4);
}

static void row_end(const struct row *row)
{
    for (size_t i = 0; i < SIDE_BY_SIDE; i++) {
        fence_free(&row->fences[i]);
    }
    fence_free(&row->aad_fence);
    fence_free(&row->tail_fence);
}

static void check_row(struct row *row, const struct pair *pair, size_t text_len, size_t n,
                      bool at_end, bool esn)
{
    struct bytes outside = {0};
    struct bytes tail = {0};

    if (esn && pair->integ == NULL) {
        outside = bytes_of(beside_fence(&row->aad_fence, 12, at_end), 12);
    } else if (esn) {
        tail = bytes_of(beside_fence(&row->tail_fence, 4, at_end), 4);
    }
    for (size_t i = 0; i < n; i++) {
        size_t len = (text_len + i) / pair->encr->block_octets * pair->encr->block_octets;

        fill(row, pair, i, len, at_end, outside, tail);
    }
    seal_row(row, pair, n);
    open_row(row, pair, n);
}

static void check_rows(const struct pair *pair)
{
    static const size_t numbers[] = {1, 4, 5, SIDE_BY_SIDE};
    /* GnuTLS beside itself is soon seen to be the same. */
    size_t stride = crypt_library(pair->fastest) == CRYPT_GNUTLS ? 50 : 1;
    struct row row;

    row_begin(&row);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        size_t n = numbers[i];

        /* A row of n is of n lengths. */
        for (size_t len = 0; len < 300; len += stride * (n == 1 ? 3 : n)) {
            check_row(&row, pair, len, n, len % 2 == 0, len % 3 == 0);
            check_row(&row, pair, len, n, len % 2 != 0, len % 3 != 0);
        }
        check_row(&row, pair, 1400, n, true, false);
        check_row(&row, pair, 1500, n, true, true);
    }
    row_end(&row);
}

START_TEST(the_same_octets_and_no_others)
{
    for_each_pair(check_rows);
}
END_TEST

static void check_lengths(const struct pair *pair)
{
    uint8_t data[64];
    size_t around = crypt_iv_len(pair->fastest) + crypt_icv_len(pair->fastest);
    struct crypt_message messages[SIDE_BY_SIDE];

    for (size_t len = 0; len < sizeof(data); len++) {
        bool fits = len >= around && (len - around) % pair->encr->block_octets == 0;

        for (size_t i = 0; i < SIDE_BY_SIDE; i++) {
            messages[i] = (struct crypt_message){.data = data, .len = len};
        }
        crypt_open_batch(pair->fastest, messages, SIDE_BY_SIDE);
        for (size_t i = 0; i < SIDE_BY_SIDE; i++) {
            ck_assert_uint_eq(messages[i].err, fits ? ERR_INTEGRITY : ERR_SYNTAX);
            ck_assert_ptr_null(messages[i].text);
        }
        if (!fits) {
            crypt_seal_batch(pair->fastest, messages, SIDE_BY_SIDE);
            ck_assert_uint_eq(messages[0].err, ERR_SYNTAX);
        }
    }
    crypt_seal_batch(pair->fastest, NULL, 0);
    crypt_open_batch(pair->fastest, NULL, 0);
}

START_TEST(wrong_lengths_are_refused)
{
    for_each_pair(check_lengths);
}
END_TEST

/* ---- the choice ---- */

static bool processor_has_aes(void)
{
    char line[8192];
    FILE *file = fopen("/proc/cpuinfo", "r");
    bool found = false;

    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        found = strncmp(line, "flags", 5) == 0 && strstr(line, " aes ") != NULL &&
                strstr(line, " pclmulqdq ") != NULL;
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

static bool built_in(void)
{
#ifdef HAVE_IPSEC_MB
    return true;
#else
    return false;
#endif
}

static enum crypt_library wanted_library(const struct pair *pair)
{
    bool there = built_in() && processor_has_aes();

    switch ((enum encr_id)pair->encr->id) {
    case ENCR_AES_GCM_16:
    case ENCR_AES_GCM_12:
    case ENCR_AES_GCM_8:
    case ENCR_CHACHA20_POLY1305:
        return there ? CRYPT_IPSEC_MB : CRYPT_GNUTLS;
    case ENCR_AES_CBC:
        return there && pair->integ->id != AUTH_AES_CMAC_96 ? CRYPT_IPSEC_MB : CRYPT_GNUTLS;
    case ENCR_3DES:
    case ENCR_AES_CTR:
    case ENCR_AES_CCM_8:
    case ENCR_AES_CCM_12:
    case ENCR_AES_CCM_16:
        break;
    }
    return CRYPT_GNUTLS;
}

static void check_choice(const struct pair *pair)
{
    ck_assert_uint_eq(crypt_library(pair->gnutls), CRYPT_GNUTLS);
    ck_assert_uint_eq(crypt_library(pair->fastest), wanted_library(pair));
}

START_TEST(the_fastest_is_chosen)
{
    const struct alg *gcm = alg_find_name(bytes_of_string("aes256gcm16"));
    const struct alg *cbc = alg_find_name(bytes_of_string("aes128"));
    const struct alg *cmac = alg_find_name(bytes_of_string("aescmac"));
    struct crypt_lanes *lanes;
    bool there = built_in() && processor_has_aes();

    for_each_pair(check_choice);
    ck_assert_uint_eq(crypt_lanes_new(&lanes, CRYPT_GNUTLS), OK);
    ck_assert_str_eq(crypt_lanes_name(lanes, gcm, NULL), "GnuTLS");
    crypt_lanes_free(lanes);
    ck_assert_uint_eq(crypt_lanes_new(&lanes, CRYPT_IPSEC_MB), there ? OK : ERR_UNSUPPORTED);
    if (there) {
        const char *name = crypt_lanes_name(lanes, gcm, NULL);

        ck_assert_msg(strncmp(name, "intel-ipsec-mb ", 15) == 0, "%s", name);
        ck_assert_str_eq(crypt_lanes_name(lanes, cbc, cmac), "GnuTLS");
    } else {
        ck_assert_ptr_null(lanes);
    }
    crypt_lanes_free(lanes);
    crypt_lanes_free(NULL);
}
END_TEST

/* ---- one SA in several threads ---- */

#define THREADS 3
#define ROUNDS 300

struct worker {
    const struct alg *encr, *integ;
    struct crypt_lanes *lanes;
    struct crypt *crypt;
    unsigned well;
};

static void *work(void *data)
{
    struct worker *worker = data;
    size_t around = crypt_iv_len(worker->crypt) + crypt_icv_len(worker->crypt);
    uint8_t room[8][8 + 16 + 160 + 64];
    struct crypt_message messages[8];

    for (unsigned round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < 8; i++) {
            memset(room[i], (int)i, sizeof(room[i]));
            messages[i] = (struct crypt_message){.aad = bytes_of(room[i], 8),
                                                 .data = room[i] + 8,
                                                 .len = around + 160,
                                                 .counter = round * 8 + i};
        }
        crypt_seal_batch(worker->crypt, messages, 8);
        crypt_open_batch(worker->crypt, messages, 8);
        for (size_t i = 0; i < 8; i++) {
            worker->well +=
                messages[i].err == OK && messages[i].text[159] == i && messages[i].text[0] == i;
        }
    }
    return NULL;
}

static void work_together(const char *encr, const char *integ)
{
    static const uint8_t key[64] = {1};
    struct worker workers[THREADS];
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        struct worker *worker = &workers[i];

        *worker = (struct worker){.encr = alg_find_name(bytes_of_string(encr))};
        if (integ != NULL) {
            worker->integ = alg_find_name(bytes_of_string(integ));
        }
        ck_assert_uint_eq(crypt_lanes_new(&worker->lanes, CRYPT_FASTEST), OK);
        ck_assert_uint_eq(crypt_new_in(&worker->crypt, worker->lanes, worker->encr, worker->integ,
                                       bytes_of(key, crypt_encr_key_len(worker->encr)),
                                       bytes_of(key, crypt_integ_key_len(worker->integ))),
                          OK);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, worker), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_uint_eq(workers[i].well, ROUNDS * 8);
        crypt_free(workers[i].crypt);
        crypt_lanes_free(workers[i].lanes);
    }
}

START_TEST(each_thread_has_its_lanes)
{
    work_together("aes256gcm16", NULL);
    work_together("chacha20poly1305", NULL);
    work_together("aes256", "sha256");
    work_together("aes128", "sha512");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crypt_lanes");
    TCase *tcase = tcase_create("crypt_lanes");

    tcase_add_test(tcase, the_same_octets_and_no_others);
    tcase_add_test(tcase, wrong_lengths_are_refused);
    tcase_add_test(tcase, the_fastest_is_chosen);
    tcase_add_test(tcase, each_thread_has_its_lanes);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
