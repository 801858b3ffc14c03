/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/trace.h"

#include <string.h>

#include "common/boottime.h"
#include "common/i18n.h"
#include "gui/model/text.h"

enum { STEPS_MAX = 5000, MESSAGE_CHARACTERS = 2100 };

/* ---- one step ---- */

struct _GodwitStep {
    GObject parent;
    enum godwit_step_kind kind;
    gboolean again;
    guint64 at_us;
    gint64 real_us; /* since 1970 */
    char *title, *more;
    char *folded; /* both, for searching */
};

G_DEFINE_FINAL_TYPE(GodwitStep, godwit_step, G_TYPE_OBJECT)

static void godwit_step_finalize(GObject *object)
{
    GodwitStep *step = GODWIT_STEP(object);

    g_free(step->title);
    g_free(step->more);
    g_free(step->folded);
    G_OBJECT_CLASS(godwit_step_parent_class)->finalize(object);
}

static void godwit_step_class_init(GodwitStepClass *class)
{
    G_OBJECT_CLASS(class)->finalize = godwit_step_finalize;
}

static void godwit_step_init(GodwitStep *step)
{
    (void)step;
}

/* Takes over both texts. */
static GodwitStep *step_new(enum godwit_step_kind kind, guint64 at_us, char *title, char *more)
{
    GodwitStep *step = g_object_new(GODWIT_TYPE_STEP, NULL);
    g_autofree char *all = g_strconcat(title, " ", more, NULL);

    step->kind = kind;
    step->at_us = at_us;
    step->real_us = g_get_real_time() - (gint64)(boottime_now() - at_us);
    step->title = title;
    step->more = more;
    step->folded = g_utf8_casefold(all, -1);
    return step;
}

enum godwit_step_kind godwit_step_get_kind(GodwitStep *step)
{
    return step->kind;
}

gboolean godwit_step_is_message(GodwitStep *step)
{
    return step->kind == GODWIT_STEP_SENT || step->kind == GODWIT_STEP_RECEIVED ||
           step->kind == GODWIT_STEP_NOTE;
}

gboolean godwit_step_is_again(GodwitStep *step)
{
    return step->again;
}

const char *godwit_step_get_title(GodwitStep *step)
{
    return step->title;
}

const char *godwit_step_get_more(GodwitStep *step)
{
    return step->more;
}

static char *time_of(const GodwitStep *step, const char *format)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(step->real_us / G_USEC_PER_SEC);
    g_autofree char *seconds = time == NULL ? g_strdup("") : g_date_time_format(time, format);

    return g_strdup_printf("%s.%03d", seconds, (int)(step->real_us % G_USEC_PER_SEC / 1000));
}

char *godwit_step_dup_time(GodwitStep *step)
{
    return time_of(step, "%H:%M:%S");
}

char *godwit_step_dup_line(GodwitStep *step)
{
    static const char *const marks[] = {
        [GODWIT_STEP_PHASE] = "", [GODWIT_STEP_SENT] = "→ ", [GODWIT_STEP_RECEIVED] = "← ",
        [GODWIT_STEP_NOTE] = "",  [GODWIT_STEP_END] = "",
    };
    g_autofree char *time = time_of(step, "%F %T");

    return g_strdup_printf("%s  %s%s%s%s", time, marks[step->kind], step->title,
                           *step->more == '\0' ? "" : "  ", step->more);
}

gboolean godwit_step_contains(GodwitStep *step, const char *text)
{
    g_autofree char *folded = g_utf8_casefold(text, -1);

    return strstr(step->folded, folded) != NULL;
}

/* ---- all of them ---- */

struct _GodwitTrace {
    GObject parent;
    GPtrArray *steps;
    guint frozen; /* how many there were before + 1; 0 = it is not frozen */
};

static GType get_item_type(GListModel *model)
{
    (void)model;
    return GODWIT_TYPE_STEP;
}

static guint get_n_items(GListModel *model)
{
    const GodwitTrace *trace = GODWIT_TRACE(model);

    return trace->frozen > 0 ? trace->frozen - 1 : trace->steps->len;
}

static gpointer get_item(GListModel *model, guint position)
{
    const GodwitTrace *trace = GODWIT_TRACE(model);

    return position < trace->steps->len ? g_object_ref(trace->steps->pdata[position]) : NULL;
}

static void implement_list(GListModelInterface *interface)
{
    interface->get_item_type = get_item_type;
    interface->get_n_items = get_n_items;
    interface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE(GodwitTrace, godwit_trace, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, implement_list))

static void tell(GodwitTrace *trace, guint position, guint removed, guint added)
{
    if (trace->frozen == 0) {
        g_list_model_items_changed(G_LIST_MODEL(trace), position, removed, added);
    }
}

/* Takes it over. */
static void add(GodwitTrace *trace, GodwitStep *step)
{
    guint at = trace->steps->len;

    while (at > 0 && ((GodwitStep *)trace->steps->pdata[at - 1])->at_us > step->at_us) {
        at--;
    }
    g_ptr_array_insert(trace->steps, (int)at, step);
    tell(trace, at, 0, 1);
    if (trace->steps->len > STEPS_MAX) {
        g_ptr_array_remove_index(trace->steps, 0);
        tell(trace, 0, 1, 0);
    }
}

void godwit_trace_add_phase(GodwitTrace *trace, guint64 at_us, const char *text)
{
    add(trace,
        step_new(GODWIT_STEP_PHASE, at_us, shown_line(text, MESSAGE_CHARACTERS), g_strdup("")));
}

void godwit_trace_add_message(GodwitTrace *trace, guint64 at_us, const char *line, gboolean sent,
                              gboolean again)
{
    g_autofree char *shown = shown_line(line, MESSAGE_CHARACTERS);
    char *payloads = strstr(shown, "  ");
    gboolean is_note = !sent && *shown == '(';
    const char *more = "";
    GodwitStep *step;

    if (payloads != NULL && !is_note) {
        *payloads = '\0';
        more = payloads + 2;
    }
    step = step_new(is_note ? GODWIT_STEP_NOTE
                    : sent  ? GODWIT_STEP_SENT
                            : GODWIT_STEP_RECEIVED,
                    /* Translators: behind a message that was sent once more. */
                    at_us, g_strconcat(shown, again ? _(" (again)") : "", NULL), g_strdup(more));
    step->again = again;
    add(trace, step);
}

void godwit_trace_add_end(GodwitTrace *trace, const char *text)
{
    add(trace, step_new(GODWIT_STEP_END, boottime_now(), shown_line(text, MESSAGE_CHARACTERS),
                        g_strdup("")));
}

void godwit_trace_forget(GodwitTrace *trace, gboolean messages)
{
    trace->frozen = trace->steps->len + 1;
    for (guint i = trace->steps->len; i > 0; i--) {
        if (godwit_step_is_message(trace->steps->pdata[i - 1]) == messages) {
            g_ptr_array_remove_index(trace->steps, i - 1);
        }
    }
}

void godwit_trace_thaw(GodwitTrace *trace)
{
    guint before = trace->frozen - 1;

    trace->frozen = 0;
    tell(trace, 0, before, trace->steps->len);
}

char *godwit_steps_text(GListModel *steps)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < g_list_model_get_n_items(steps); i++) {
        g_autoptr(GodwitStep) step = g_list_model_get_item(steps, i);
        g_autofree char *line = godwit_step_dup_line(step);

        g_string_append_printf(text, "%s\n", line);
    }
    return g_string_free(text, FALSE);
}

/* ---- life ---- */

static void godwit_trace_finalize(GObject *object)
{
    g_ptr_array_unref(GODWIT_TRACE(object)->steps);
    G_OBJECT_CLASS(godwit_trace_parent_class)->finalize(object);
}

static void godwit_trace_class_init(GodwitTraceClass *class)
{
    G_OBJECT_CLASS(class)->finalize = godwit_trace_finalize;
}

static void godwit_trace_init(GodwitTrace *trace)
{
    trace->steps = g_ptr_array_new_with_free_func(g_object_unref);
}

GodwitTrace *godwit_trace_new(void)
{
    return g_object_new(GODWIT_TYPE_TRACE, NULL);
}
