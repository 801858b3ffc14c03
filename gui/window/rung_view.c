/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/rung_view.h"

enum { LINE = 2, HEAD = 6, ARROW_HEIGHT = 14, DASH = 8 };

struct _GodwitRungView {
    GtkWidget parent;
    GodwitStep *step;
    GtkWidget *box, *title, *arrow, *more;
};

G_DEFINE_FINAL_TYPE(GodwitRungView, godwit_rung_view, GTK_TYPE_WIDGET)

/* ---- what it says ---- */

static void set_class(GtkWidget *widget, const char *class, gboolean on)
{
    if (on) {
        gtk_widget_add_css_class(widget, class);
    } else {
        gtk_widget_remove_css_class(widget, class);
    }
}

void godwit_rung_view_set_step(GodwitRungView *view, GodwitStep *step)
{
    enum godwit_step_kind kind = step == NULL ? GODWIT_STEP_NOTE : godwit_step_get_kind(step);
    gboolean is_arrow = kind == GODWIT_STEP_SENT || kind == GODWIT_STEP_RECEIVED;
    g_autofree char *line = step == NULL ? g_strdup("") : godwit_step_dup_line(step);
    const char *more = step == NULL ? "" : godwit_step_get_more(step);

    g_set_object(&view->step, step);
    gtk_label_set_text(GTK_LABEL(view->title), step == NULL ? "" : godwit_step_get_title(step));
    gtk_label_set_text(GTK_LABEL(view->more), more);
    gtk_widget_set_visible(view->arrow, is_arrow);
    gtk_widget_set_visible(view->more, *more != '\0');
    set_class(view->title, "phase", kind == GODWIT_STEP_PHASE);
    set_class(view->title, "end", kind == GODWIT_STEP_END);
    set_class(view->title, "dim-label", kind == GODWIT_STEP_NOTE);
    gtk_accessible_update_property(GTK_ACCESSIBLE(view), GTK_ACCESSIBLE_PROPERTY_LABEL, line, -1);
    gtk_widget_queue_draw(GTK_WIDGET(view));
}

/* ---- drawing ---- */

static void fill(GtkSnapshot *snapshot, const GdkRGBA *colour, float x, float y, float width,
                 float height)
{
    gtk_snapshot_append_color(snapshot, colour, &GRAPHENE_RECT_INIT(x, y, width, height));
}

static GdkRGBA colour_of(GodwitRungView *view, gboolean sent)
{
    GtkStyleContext *style = gtk_widget_get_style_context(GTK_WIDGET(view));
    GdkRGBA colour;

    if (!gtk_style_context_lookup_color(style, sent ? "orange_3" : "blue_3", &colour)) {
        gtk_style_context_get_color(style, &colour);
    }
    return colour;
}

static void draw_head(GtkSnapshot *snapshot, const GdkRGBA *colour, float tip, float y,
                      gboolean to_right)
{
    graphene_rect_t area =
        GRAPHENE_RECT_INIT(to_right ? tip - HEAD : tip, y - HEAD, HEAD, 2 * HEAD);
    cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &area);
    double back = (double)(to_right ? tip - HEAD : tip + HEAD);

    gdk_cairo_set_source_rgba(cr, colour);
    cairo_move_to(cr, (double)tip, (double)y);
    cairo_line_to(cr, back, (double)y - HEAD);
    cairo_line_to(cr, back, (double)y + HEAD);
    cairo_close_path(cr);
    cairo_fill(cr);
    cairo_destroy(cr);
}

/* What is sent once more is dashed. */
static void draw_arrow(GodwitRungView *view, GtkSnapshot *snapshot, float left, float right)
{
    gboolean sent = godwit_step_get_kind(view->step) == GODWIT_STEP_SENT;
    gboolean to_right = sent != (gtk_widget_get_direction(GTK_WIDGET(view)) == GTK_TEXT_DIR_RTL);
    gboolean dashed = godwit_step_is_again(view->step);
    GdkRGBA colour = colour_of(view, sent);
    float from = to_right ? left : left + HEAD, to = to_right ? right - HEAD : right, y;
    graphene_rect_t bounds;

    if (!gtk_widget_compute_bounds(view->arrow, GTK_WIDGET(view), &bounds)) {
        return;
    }
    y = bounds.origin.y + bounds.size.height / 2;
    for (float x = from; x < to; x += dashed ? 2 * DASH : to - from) {
        fill(snapshot, &colour, x, y - (float)LINE / 2,
             MIN(to - x, dashed ? (float)DASH : to - from), LINE);
    }
    draw_head(snapshot, &colour, to_right ? right : left, y, to_right);
}

static void godwit_rung_view_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    GodwitRungView *view = GODWIT_RUNG_VIEW(widget);
    float width = (float)gtk_widget_get_width(widget),
          height = (float)gtk_widget_get_height(widget);
    GdkRGBA ground;

    gtk_style_context_get_color(gtk_widget_get_style_context(widget), &ground);
    ground.alpha *= 0.25f;
    fill(snapshot, &ground, HEAD, 0, LINE, height);
    fill(snapshot, &ground, width - HEAD - LINE, 0, LINE, height);
    if (view->step != NULL && gtk_widget_get_visible(view->arrow)) {
        draw_arrow(view, snapshot, HEAD + LINE, width - HEAD - LINE);
    }
    GTK_WIDGET_CLASS(godwit_rung_view_parent_class)->snapshot(widget, snapshot);
}

/* ---- life ---- */

static GtkWidget *label(GodwitRungView *view)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_box_append(GTK_BOX(view->box), label);
    return label;
}

static void godwit_rung_view_dispose(GObject *object)
{
    GodwitRungView *view = GODWIT_RUNG_VIEW(object);

    g_clear_object(&view->step);
    g_clear_pointer(&view->box, gtk_widget_unparent);
    G_OBJECT_CLASS(godwit_rung_view_parent_class)->dispose(object);
}

static void godwit_rung_view_class_init(GodwitRungViewClass *class)
{
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = godwit_rung_view_dispose;
    widget->snapshot = godwit_rung_view_snapshot;
    gtk_widget_class_set_css_name(widget, "rung");
    gtk_widget_class_set_layout_manager_type(widget, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_set_accessible_role(widget, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void godwit_rung_view_init(GodwitRungView *view)
{
    view->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_widget_set_valign(view->box, GTK_ALIGN_CENTER);
    gtk_widget_set_parent(view->box, GTK_WIDGET(view));
    view->title = label(view);
    gtk_widget_set_halign(view->title, GTK_ALIGN_CENTER);
    gtk_label_set_justify(GTK_LABEL(view->title), GTK_JUSTIFY_CENTER);
    view->arrow = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_widget_set_size_request(view->arrow, -1, ARROW_HEIGHT);
    gtk_box_append(GTK_BOX(view->box), view->arrow);
    view->more = label(view);
    gtk_label_set_xalign(GTK_LABEL(view->more), 0);
    gtk_widget_add_css_class(view->more, "caption");
    gtk_widget_add_css_class(view->more, "dim-label");
    gtk_widget_set_hexpand(GTK_WIDGET(view), TRUE);
}

GtkWidget *godwit_rung_view_new(void)
{
    return g_object_new(GODWIT_TYPE_RUNG_VIEW, NULL);
}
