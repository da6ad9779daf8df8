/* Times HMAC-SHA-256 with a ready key in Intel's intel-ipsec-mb (Debian: libipsec-mb-dev).
 *
 *     cc -O3 -o ipsec_mb benches/ipsec_mb.c -lIPSec_MB
 *     ./ipsec_mb MESSAGES BYTES ROUNDS
 *
 * The rival of rust/lanes/examples/throughput.rs, with the same batches: so many messages of one
 * length, each in memory of its own. The library has two ways to hash many messages, and each is
 * timed as its documentation says it is fastest:
 *
 *   job    a ring of jobs: IMB_GET_NEXT_JOB, IMB_SUBMIT_JOB_NOCHECK for each message, and at the
 *          end of the batch IMB_FLUSH_JOB until nothing comes back
 *   burst  IMB_SUBMIT_HASH_BURST_NOCHECK of at most IMB_MAX_BURST_SIZE jobs; versions before
 *          this way knew HMAC-SHA-256 have the first alone
 *
 * Prints a JSON object a line for each way that exists, with the keys of throughput.rs: the
 * median of the rounds, after one that is not counted. Exits with 1 if a MAC is wrong.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <intel-ipsec-mb.h>

enum { MAC_BYTES = 32 };

struct batch {
	IMB_MGR *manager;
	size_t messages, bytes;
	uint8_t **bodies;
	uint8_t (*macs)[MAC_BYTES];
	/* The key, as RFC 2104 §4 stores it. */
	DECLARE_ALIGNED(uint8_t inner[MAC_BYTES], 16);
	DECLARE_ALIGNED(uint8_t outer[MAC_BYTES], 16);
};

static void fill(const struct batch *batch, IMB_JOB *job, size_t at)
{
	job->cipher_mode = IMB_CIPHER_NULL;
	job->cipher_direction = IMB_DIR_ENCRYPT;
	job->chain_order = IMB_ORDER_HASH_CIPHER;
	job->hash_alg = IMB_AUTH_HMAC_SHA_256;
	job->src = batch->bodies[at];
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes = batch->bytes;
	job->msg_len_to_cipher_in_bytes = 0;
	job->auth_tag_output = batch->macs[at];
	job->auth_tag_output_len_in_bytes = MAC_BYTES;
	job->u.HMAC._hashed_auth_key_xor_ipad = batch->inner;
	job->u.HMAC._hashed_auth_key_xor_opad = batch->outer;
}

/* Both return how many messages were hashed. */

static size_t by_job(struct batch *batch)
{
	IMB_MGR *manager = batch->manager;
	size_t done = 0;
	IMB_JOB *job;

	for (size_t at = 0; at < batch->messages; at++) {
		fill(batch, IMB_GET_NEXT_JOB(manager), at);
		job = IMB_SUBMIT_JOB_NOCHECK(manager);
		while (job != NULL) {
			done += job->status == IMB_STATUS_COMPLETED;
			job = IMB_GET_COMPLETED_JOB(manager);
		}
	}
	while ((job = IMB_FLUSH_JOB(manager)) != NULL)
		done += job->status == IMB_STATUS_COMPLETED;
	return done;
}

static size_t by_burst(struct batch *batch)
{
	static IMB_JOB jobs[IMB_MAX_BURST_SIZE];
	size_t done = 0;

	for (size_t from = 0; from < batch->messages; from += IMB_MAX_BURST_SIZE) {
		size_t count = batch->messages - from;

		if (count > IMB_MAX_BURST_SIZE)
			count = IMB_MAX_BURST_SIZE;
		for (size_t at = 0; at < count; at++)
			fill(batch, &jobs[at], from + at);
		done += IMB_SUBMIT_HASH_BURST_NOCHECK(batch->manager, jobs, count,
						      IMB_AUTH_HMAC_SHA_256);
	}
	return done;
}

static void keyed(struct batch *batch, const uint8_t *key, size_t bytes)
{
	uint8_t block[IMB_SHA_256_BLOCK_SIZE];
	const uint8_t pads[] = { 0x36, 0x5c };
	uint8_t *states[] = { batch->inner, batch->outer };

	for (int half = 0; half < 2; half++) {
		memset(block, pads[half], sizeof(block));
		for (size_t at = 0; at < bytes; at++)
			block[at] ^= key[at];
		IMB_SHA256_ONE_BLOCK(batch->manager, block, states[half]);
	}
}

/* RFC 4231, test case 1. */
static int is_right(IMB_MGR *manager, size_t (*hash)(struct batch *))
{
	static const uint8_t expected[MAC_BYTES] = {
		0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf,
		0xce, 0xaf, 0x0b, 0xf1, 0x2b, 0x88, 0x1d, 0xc2, 0x00, 0xc9, 0x83,
		0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c, 0x2e, 0x32, 0xcf, 0xf7,
	};
	uint8_t key[20], text[] = "Hi There", *bodies[IMB_MAX_BURST_SIZE];
	uint8_t macs[IMB_MAX_BURST_SIZE][MAC_BYTES];
	struct batch batch = {
		.manager = manager,
		.messages = IMB_MAX_BURST_SIZE,
		.bytes = sizeof(text) - 1,
		.bodies = bodies,
		.macs = macs,
	};

	memset(macs, 0, sizeof(macs));
	memset(key, 0x0b, sizeof(key));
	keyed(&batch, key, sizeof(key));
	for (size_t at = 0; at < batch.messages; at++)
		bodies[at] = text;
	if (hash(&batch) != batch.messages)
		return 0;
	for (size_t at = 0; at < batch.messages; at++)
		if (memcmp(macs[at], expected, MAC_BYTES) != 0)
			return 0;
	return 1;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int time_it(struct batch *batch, const char *name, size_t (*hash)(struct batch *),
		   int rounds)
{
	double *nanos = calloc(rounds, sizeof(*nanos)), median;

	if (nanos == NULL)
		return 0;
	for (int round = -1; round < rounds; round++) {
		struct timespec start, stop;

		clock_gettime(CLOCK_MONOTONIC, &start);
		if (hash(batch) != batch->messages)
			return 0;
		clock_gettime(CLOCK_MONOTONIC, &stop);
		if (round >= 0)
			nanos[round] = ((stop.tv_sec - start.tv_sec) * 1e9 +
					(stop.tv_nsec - start.tv_nsec)) / batch->messages;
	}
	qsort(nanos, rounds, sizeof(*nanos), ascending);
	median = nanos[rounds / 2];
	printf("{\"kernel\": \"%s\", \"bytes\": %zu, \"messages\": %zu, "
	       "\"ns_per_message\": %.1f, \"gb_per_s\": %.3f}\n",
	       name, batch->bytes, batch->messages, median, batch->bytes / median);
	free(nanos);
	return 1;
}

int main(int count, char **arguments)
{
	struct batch batch = { 0 };
	int rounds;

	if (count != 4) {
		fprintf(stderr, "usage: %s MESSAGES BYTES ROUNDS\n", arguments[0]);
		return 2;
	}
	batch.messages = strtoul(arguments[1], NULL, 10);
	batch.bytes = strtoul(arguments[2], NULL, 10);
	rounds = atoi(arguments[3]);
	batch.manager = alloc_mb_mgr(0);
	batch.bodies = calloc(batch.messages, sizeof(*batch.bodies));
	batch.macs = calloc(batch.messages, sizeof(*batch.macs));
	if (rounds < 1 || batch.manager == NULL || batch.bodies == NULL || batch.macs == NULL)
		return 2;
	init_mb_mgr_auto(batch.manager, NULL);
	keyed(&batch, (const uint8_t *)"thirty-two bytes of an example: .", 33);
	for (size_t at = 0; at < batch.messages; at++) {
		batch.bodies[at] = malloc(batch.bytes);
		if (batch.bodies[at] == NULL)
			return 2;
		memset(batch.bodies[at], (int)at, batch.bytes);
	}

	if (!is_right(batch.manager, by_job) || !time_it(&batch, "ipsec-mb job", by_job, rounds)) {
		fprintf(stderr, "ipsec-mb computes wrong MACs\n");
		return 1;
	}
	/* Versions that do not know it this way hash nothing. */
	if (is_right(batch.manager, by_burst) &&
	    !time_it(&batch, "ipsec-mb burst", by_burst, rounds))
		return 1;
	return 0;
}
