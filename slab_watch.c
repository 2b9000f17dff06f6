// SPDX-License-Identifier: GPL-2.0
/*
 * Debugging a cache is switched on and off while it runs, and its slabs are walked.
 *
 * What is looked at when objects come and go (slab_check.c) is up to the slab that
 * they are in: a slab is born with the options of its day, and keeps them.  When
 * they change, nothing is taken any more from slabs of other days; their objects
 * come home in time, and then they go.
 *
 * Whether objects are looked at all, cache->look and the words behind it, is
 * changed first when debugging begins, and back last when it ends, when no
 * debugged slab is left: so who has an object of a debugged slab knows that it
 * is to be looked at.
 */
#include <linux/bitmap.h>
#include <linux/ctype.h>
#include <linux/export.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/parser.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "internal.h"

/* ------------------------------------------------------------------- options -- */

static const struct {
	char letter;
	u8 option;
} debug_letters[] = {
	{ 'F', DEBUG_CHECKS },
	{ 'Z', DEBUG_RED_ZONE },
	{ 'P', DEBUG_POISON },
	{ 'U', DEBUG_USER },
};

static int parse_letters(const char *text, size_t len, u8 *options)
{
	size_t i, k;

	*options = 0;
	if (len == 1 && *text == '-')
		return 0;
	for (i = 0; i < len; i++) {
		for (k = 0; k < ARRAY_SIZE(debug_letters); k++)
			if (toupper(text[i]) == debug_letters[k].letter)
				break;
		if (k == ARRAY_SIZE(debug_letters))
			return -EINVAL;
		*options |= debug_letters[k].option;
	}
	return len ? 0 : -EINVAL;
}

#define SAMPLE_KEY	"sample="

static int parse_sample(const char *text, size_t len, unsigned int *sample)
{
	size_t key = strlen(SAMPLE_KEY);
	char number[sizeof("4294967295")];
	int err;

	if (!str_has_prefix(text, SAMPLE_KEY) || !isdigit(text[key]))
		return -EINVAL;
	if (len - key >= sizeof(number))
		return -ERANGE;
	strscpy(number, text + key, len - key + 1);
	err = kstrtouint(number, 10, sample);
	if (err)
		return err;
	return *sample ? 0 : -ERANGE;
}

/**
 * debug_parse() - what is to be looked at, from text
 * @text: some of F, Z, P and U, in either case, or "-" for none; then perhaps a
 *	blank or comma and "sample=N": one in so many objects is traced, else all
 * @len: its bytes; a NUL is at their end, or behind it
 * @wish: the result
 *
 * Return: 0, -EINVAL for anything else, -ERANGE for a number that N can't be.
 */
int debug_parse(const char *text, size_t len, struct debug_wish *wish)
{
	size_t letters = min(strcspn(text, " ,"), len);
	int err;

	wish->sample = 1;
	err = parse_letters(text, letters, &wish->options);
	if (err || letters == len)
		return err;
	letters++;
	return parse_sample(text + letters, len - letters, &wish->sample);
}
EXPORT_SYMBOL_IF_KUNIT(debug_parse);

/**
 * debug_print() - options as letters
 * @options: DEBUG_*
 * @text: the result, what debug_parse() takes
 */
void debug_print(u8 options, char text[DEBUG_TEXT_LEN])
{
	size_t k, len = 0;

	for (k = 0; k < ARRAY_SIZE(debug_letters); k++)
		if (options & debug_letters[k].option)
			text[len++] = debug_letters[k].letter;
	if (!len)
		text[len++] = '-';
	text[len] = '\0';
}
EXPORT_SYMBOL_IF_KUNIT(debug_print);

static char debug_param[256];
module_param_string(debug, debug_param, sizeof(debug_param), 0444);
MODULE_PARM_DESC(debug,
		 "what new caches look at: letters of FZPU, perhaps sample=, then names, which may have * and ?; as in FZ,nvme*,dm-?;U,sample=16,foo");

/* Is @name one of the patterns of @list?  No pattern at all is for every name. */
static bool name_listed(const char *list, size_t len, const char *name)
{
	char pattern[sizeof(debug_param)];
	size_t part;

	if (!len)
		return true;
	for (; len; list += part, len -= part) {
		if (*list == ',') {
			part = 1;
			continue;
		}
		for (part = 0; part < len && list[part] != ','; part++)
			pattern[part] = list[part];
		pattern[part] = '\0';
		if (match_wildcard(pattern, name))
			return true;
	}
	return false;
}

/* Bytes of a part of the parameter that say what is looked at, before its names. */
static size_t wish_len(const char *part)
{
	size_t len = strcspn(part, ",;");

	if (part[len] == ',' && str_has_prefix(part + len + 1, SAMPLE_KEY))
		len += 1 + strcspn(part + len + 1, ",;");
	return len;
}

/**
 * debug_for_name() - what a module parameter asks for
 * @text: such as "FZ,nvme*,dm-?;U,sample=16,foo"; the first part that fits counts
 * @name: of a cache
 *
 * Return: what is to be looked at.
 */
struct debug_wish debug_for_name(const char *text, const char *name)
{
	struct debug_wish wish;
	size_t len, head;

	for (; *text; text += len + (text[len] == ';')) {
		len = strcspn(text, ";");
		head = wish_len(text);
		if (debug_parse(text, head, &wish)) {
			usage_bug("mpslab", "parameter debug: no such options: %.*s",
				  (int)head, text);
			continue;
		}
		if (name_listed(text + head, len - head, name))
			return wish;
	}
	return (struct debug_wish){ .sample = 1 };
}
EXPORT_SYMBOL_IF_KUNIT(debug_for_name);

static u8 debug_for_flags(slab_flags_t flags)
{
	u8 options = 0;

	if (flags & SLAB_CONSISTENCY_CHECKS)
		options |= DEBUG_CHECKS;
	if (flags & SLAB_RED_ZONE)
		options |= DEBUG_RED_ZONE;
	if (flags & SLAB_POISON)
		options |= DEBUG_POISON;
	if (flags & SLAB_STORE_USER)
		options |= DEBUG_USER;
	return options;
}

/* ------------------------------------------------------------------ switching -- */

/**
 * cache_set_work() - say what is to be done when objects come and go
 * @cache: the cache, its other properties set
 * @look: objects are looked at
 *
 * Context: tune_lock, or nobody else knows the cache.
 */
void cache_set_work(struct mpslab_cache *cache, bool look)
{
	bool work = look || cache_has_tools(cache);

	WRITE_ONCE(cache->look, look);
	WRITE_ONCE(cache->work_gfp, (cache->work_gfp & __GFP_ZERO) |
				    (work ? GFP_WORK : 0));
	/* Below the linear map are NULL and what is the user's. */
	WRITE_ONCE(cache->push_above,
		   work || cache->init_on_free || cache->numa ?
		   ULONG_MAX : PAGE_OFFSET);
}
EXPORT_SYMBOL_IF_KUNIT(cache_set_work);

/**
 * cache_debug_init() - what a new cache looks at
 * @cache: the cache; flags and name are set
 *
 * Context: task; sleeps.  Nobody else knows the cache.
 * Return: 0 or -ENOMEM.
 */
int cache_debug_init(struct mpslab_cache *cache)
{
	struct debug_wish wish = debug_for_name(debug_param, cache->name);
	u8 options = debug_for_flags(cache->flags) | wish.options;

	cache->sample = wish.sample;
	if (!options)
		return 0;
	if (!cache->debug_layout.geo.objects) {
		pr_notice("NOTE %*pE: objects of %u bytes are too large to be debugged\n",
			  (int)strlen(cache->name), cache->name,
			  cache->object_size);
		return 0;
	}
	cache->debug = options;
	cache_set_work(cache, true);
	return options & DEBUG_USER ? traces_init() : 0;
}

/**
 * cache_debug_set() - change what is looked at, while the cache is in use
 * @cache: the cache
 * @options: DEBUG_*, for new slabs
 * @sample: one in so many objects is traced, 1 for all
 *
 * Context: task; sleeps.
 * Return: 0; -EOPNOTSUPP if objects are too large to be debugged, or -ENOMEM, and
 * then nothing has changed.
 */
int cache_debug_set(struct mpslab_cache *cache, u8 options, unsigned int sample)
{
	if (options && !cache->debug_layout.geo.objects)
		return -EOPNOTSUPP;
	if (options & DEBUG_USER && traces_init())
		return -ENOMEM;
	mutex_lock(&cache->tune_lock);
	WRITE_ONCE(cache->sample, sample);
	if (options == cache->debug) {
		mutex_unlock(&cache->tune_lock);
		return 0;
	}
	if (options && !cache->look) {
		cache_set_work(cache, true);
		/*
		 * After it, every CPU sees that: whoever gets an object of a slab
		 * that comes later.
		 */
		synchronize_rcu();
	}
	WRITE_ONCE(cache->debug, options);
	mutex_unlock(&cache->tune_lock);
	cache_drain(cache);
	cache_debug_settle(cache);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(cache_debug_set);

/**
 * cache_debug_settle() - look at objects no longer, if no slab is left that knows
 * @cache: the cache
 *
 * Context: task; if somebody is changing the cache, that is for the next time.
 */
void cache_debug_settle(struct mpslab_cache *cache)
{
	if (!READ_ONCE(cache->look) || !mutex_trylock(&cache->tune_lock))
		return;
	/*
	 * Either we see that slab_create() has counted one, by its
	 * atomic_inc_return(), or it sees that there are no options.
	 */
	smp_mb();
	if (!cache->debug && !atomic_read(&cache->nr_debugged))
		cache_set_work(cache, false);
	mutex_unlock(&cache->tune_lock);
}
EXPORT_SYMBOL_IF_KUNIT(cache_debug_settle);

/* --------------------------------------------------------------------- walking -- */

/* One walk at a time; 3 of internal.h. */
static DEFINE_MUTEX(walk_mutex);
static u32 last_walk;			/* under walk_mutex */

/* The next slab of the node that this walk has not seen, if there is one. */
static bool walk_next(struct cache_node *n, u32 walk,
		      bool (*look)(struct mpslab_slab *slab, void *data),
		      void *data)
{
	struct slab_debug *debug;
	unsigned long flags;
	bool found = false;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	debug = list_first_entry_or_null(&n->debugged, struct slab_debug, list);
	if (debug && debug->visit != walk) {
		found = true;
		if (look(debug->slab, data)) {
			debug->visit = walk;
			list_move_tail(&debug->list, &n->debugged);
		}
	}
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	return found;
}

/**
 * walk_debugged() - look at every debugged slab once
 * @cache: the cache
 * @look: called for each, with list_lock held, which keeps the slab there; false
 *	to be called for it once more, if it is still there then
 * @note: called after each call of it, with no spinlock held; false ends the walk
 * @data: passed to both
 *
 * Slabs that come meanwhile join the list behind those that were seen.
 *
 * Context: task; sleeps.
 * Return: false if @note ended it.
 */
bool walk_debugged(struct mpslab_cache *cache,
		   bool (*look)(struct mpslab_slab *slab, void *data),
		   bool (*note)(void *data), void *data)
{
	struct cache_node *n;
	bool ok = true;
	int nid;

	mutex_lock(&walk_mutex);
	last_walk += last_walk == U32_MAX ? 2 : 1;	/* 0 is that of a new slab */
	for_each_cache_node(cache, nid, n)
		while (ok && walk_next(n, last_walk, look, data)) {
			ok = note(data);
			cond_resched();
		}
	mutex_unlock(&walk_mutex);
	return ok;
}

/* Bytes of objects that are looked at under one hold of a list_lock. */
#define LOOK_BYTES	8192

/* A walk for cache_validate(): how far it is in which slab, and what it found last. */
struct look {
	struct validation *v;
	struct mpslab_slab *slab;
	unsigned int next;
	struct object_fault fault;
	bool faulty;
};

/*
 * So many objects, or up to one that is wrong, which note_fault() reports when it may.
 * Another slab that has taken this one's place meanwhile is not looked at from its
 * start.
 */
static bool look_at_objects(struct mpslab_slab *slab, void *data)
{
	unsigned int bytes = 0, size = slab->cache->debug_layout.size;
	struct look *l = data;

	if (l->slab != slab) {
		l->slab = slab;
		l->next = 0;
		l->v->debugged++;
	}
	while (l->next < slab->objects && bytes < LOOK_BYTES && !l->faulty) {
		l->faulty = !check_object(slab, l->next++, &l->fault);
		l->v->objects++;
		bytes += size;
	}
	if (l->next < slab->objects)
		return false;
	l->slab = NULL;
	return true;
}

static bool note_fault(void *data)
{
	struct look *l = data;

	if (l->faulty) {
		l->faulty = false;
		l->v->wrong++;
		report_fault(&l->fault, "nothing yet");
	}
	return true;
}

static bool is_count_of(const struct mpslab_cache *cache, unsigned int objects)
{
	return objects == cache->best.objects ||
	       objects == cache->fallback.objects ||
	       objects == cache->debug_layout.geo.objects;
}

/* Do the slab's own words agree?  No more of them is believed than was looked at. */
static bool slab_is_sound(const struct mpslab_cache *cache,
			  const struct mpslab_slab *slab, const struct page *page)
{
	return slab->cache == cache && slab->page == page &&
	       is_count_of(cache, slab->objects) &&
	       slab->inuse + bitmap_weight(slab->free, slab->objects) ==
	       slab->objects;
}

/*
 * All slabs of a list, as long as it was at first; what others move meanwhile may be
 * met twice, or not at all.
 */
static void validate_list(struct mpslab_cache *cache, struct cache_node *n,
			  struct list_head *list, unsigned long nr,
			  struct validation *v)
{
	struct mpslab_slab *slab;
	unsigned long flags;
	struct page *page;
	bool sound;

	for (; nr; nr--) {
		raw_spin_lock_irqsave(&n->list_lock, flags);
		page = list_first_entry_or_null(list, struct page, lru);
		if (!page) {
			raw_spin_unlock_irqrestore(&n->list_lock, flags);
			return;
		}
		list_move_tail(&page->lru, list);
		slab = slab_listed(page);
		sound = slab && slab_is_sound(cache, slab, page);
		raw_spin_unlock_irqrestore(&n->list_lock, flags);
		v->slabs++;
		if (!sound) {
			v->wrong++;
			cache_bug(cache, ERROR_DESCRIPTOR, "nothing yet",
				  "a slab's descriptor was written over");
		}
		cond_resched();
	}
}

/**
 * cache_validate() - look at every slab of a cache now
 * @cache: the cache, which may be in use
 * @v: what was found
 *
 * Of debugged slabs every object, of all slabs their descriptors.  What is wrong
 * is reported as if somebody had come across it.
 *
 * Context: task; sleeps.
 */
void cache_validate(struct mpslab_cache *cache, struct validation *v)
{
	struct look l = { .v = v };
	struct cache_node *n;
	int nid;

	memset(v, 0, sizeof(*v));
	for_each_cache_node(cache, nid, n) {
		validate_list(cache, n, &n->partial, READ_ONCE(n->nr_partial), v);
		validate_list(cache, n, &n->full, READ_ONCE(n->nr_full), v);
		validate_list(cache, n, &n->free, READ_ONCE(n->nr_free), v);
	}
	walk_debugged(cache, look_at_objects, note_fault, &l);
}
EXPORT_SYMBOL_IF_KUNIT(cache_validate);

static bool forget_aside(struct mpslab_slab *slab, void *data)
{
	check_forget_aside(slab);
	return true;
}

static bool go_on(void *data)
{
	return true;
}

/**
 * cache_forget_aside() - free what was kept aside
 * @cache: a cache that nobody uses any more, nor will
 *
 * Context: task; sleeps.
 */
void cache_forget_aside(struct mpslab_cache *cache)
{
	walk_debugged(cache, forget_aside, go_on, NULL);
}
