/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/graph.h"

#include "common/i18n.h"
#include "gui/model/text.h"

enum { SECONDS = 60, HEIGHT = 96 };
#define LEAST_SCALE 10000.0 /* octets per second: a line that is nearly at rest looks so */

struct _GodwitGraph {
    GtkWidget parent;
    GodwitSession *session;
    double rx[SECONDS], tx[SECONDS]; /* oldest first */
    guint timer;
};

G_DEFINE_FINAL_TYPE(GodwitGraph, godwit_graph, GTK_TYPE_WIDGET)

/* ---- measuring ---- */

static void on_measured(GodwitGraph *graph)
{
    const struct godwit_traffic *traffic = godwit_session_get_traffic(graph->session);
    g_autofree char *rx = rate_text(traffic->rx_rate), *tx = rate_text(traffic->tx_rate);
    /* Translators: rates such as "1.2 MB/s", read aloud for the graph of traffic. */
    g_autofree char *words = g_strdup_printf(_("Receiving %s, sending %s"), rx, tx);

    memmove(graph->rx, graph->rx + 1, sizeof graph->rx - sizeof graph->rx[0]);
    memmove(graph->tx, graph->tx + 1, sizeof graph->tx - sizeof graph->tx[0]);
    graph->rx[SECONDS - 1] = traffic->rx_rate;
    graph->tx[SECONDS - 1] = traffic->tx_rate;
    gtk_accessible_update_property(GTK_ACCESSIBLE(graph), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   words, -1);
    gtk_widget_queue_draw(GTK_WIDGET(graph));
}

static gboolean on_second(gpointer data)
{
    GodwitGraph *graph = data;

    godwit_session_measure(graph->session);
    return G_SOURCE_CONTINUE;
}

static void watch(GodwitGraph *graph)
{
    gboolean wanted = graph->session != NULL && gtk_widget_get_mapped(GTK_WIDGET(graph));

    if (wanted && graph->timer == 0) {
        godwit_session_measure(graph->session);
        graph->timer = g_timeout_add_seconds(1, on_second, graph);
    } else if (!wanted) {
        g_clear_handle_id(&graph->timer, g_source_remove);
    }
}

void godwit_graph_set_session(GodwitGraph *graph, GodwitSession *session)
{
    if (graph->session == session) {
        return;
    }
    if (graph->session != NULL) {
        g_signal_handlers_disconnect_by_data(graph->session, graph);
    }
    g_clear_handle_id(&graph->timer, g_source_remove);
    g_set_object(&graph->session, session);
    memset(graph->rx, 0, sizeof graph->rx);
    memset(graph->tx, 0, sizeof graph->tx);
    if (session != NULL) {
        g_signal_connect_swapped(session, "measured", G_CALLBACK(on_measured), graph);
    }
    watch(graph);
    gtk_widget_queue_draw(GTK_WIDGET(graph));
}

/* ---- drawing ---- */

/* The least of 1, 2, 5, 10, 20 and so on that is not exceeded, so that it seldom changes. */
static double scale_of(const GodwitGraph *graph)
{
    static const double steps[] = {2, 2.5, 2}; /* from 1 to 2, to 5, to 10 */
    double most = 0, scale = LEAST_SCALE;

    for (int i = 0; i < SECONDS; i++) {
        most = MAX(most, MAX(graph->rx[i], graph->tx[i]));
    }
    for (int i = 0; scale < most; i++) {
        scale *= steps[i % (int)G_N_ELEMENTS(steps)];
    }
    return scale;
}

/* A line through the values, without corners, which never leaves their range. */
static void trace_line(cairo_t *cr, const double *values, double scale, double width, double height)
{
    double step = width / (SECONDS - 1);

    cairo_move_to(cr, 0, height * (1 - values[0] / scale));
    for (int i = 1; i < SECONDS; i++) {
        double before = height * (1 - values[i - 1] / scale),
               here = height * (1 - values[i] / scale);
        double middle = (i - 0.5) * step;

        cairo_curve_to(cr, middle, before, middle, here, i * step, here);
    }
}

static void draw_values(cairo_t *cr, const double *values, const GdkRGBA *colour, double scale,
                        double width, double height)
{
    cairo_new_path(cr);
    trace_line(cr, values, scale, width, height);
    cairo_line_to(cr, width, height);
    cairo_line_to(cr, 0, height);
    cairo_close_path(cr);
    cairo_set_source_rgba(cr, (double)colour->red, (double)colour->green, (double)colour->blue,
                          0.15);
    cairo_fill(cr);
    trace_line(cr, values, scale, width, height);
    gdk_cairo_set_source_rgba(cr, colour);
    cairo_set_line_width(cr, 2);
    cairo_stroke(cr);
}

static void draw_ground(cairo_t *cr, GdkRGBA colour, double width, double height)
{
    colour.alpha = 0.15f;
    gdk_cairo_set_source_rgba(cr, &colour);
    cairo_set_line_width(cr, 1);
    for (int i = 0; i <= 2; i++) {
        double y = 0.5 + (height - 1) * i / 2;

        cairo_move_to(cr, 0, y);
        cairo_line_to(cr, width, y);
    }
    cairo_stroke(cr);
}

/* What the uppermost line stands for, below it where the oldest values are. */
static void draw_scale(GtkWidget *widget, cairo_t *cr, GdkRGBA colour, double scale)
{
    g_autofree char *text = rate_text(scale);
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(widget, text);
    g_autoptr(PangoAttrList) attributes = pango_attr_list_new();

    pango_attr_list_insert(attributes, pango_attr_scale_new(PANGO_SCALE_SMALL));
    pango_layout_set_attributes(layout, attributes);
    colour.alpha = 0.7f;
    gdk_cairo_set_source_rgba(cr, &colour);
    cairo_move_to(cr, 2, 2);
    pango_cairo_show_layout(cr, layout);
}

static GdkRGBA colour_named(GtkStyleContext *style, const char *name, const char *fallback)
{
    GdkRGBA colour;

    if (!gtk_style_context_lookup_color(style, name, &colour)) {
        gdk_rgba_parse(&colour, fallback);
    }
    return colour;
}

static void godwit_graph_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    const GodwitGraph *graph = GODWIT_GRAPH(widget);
    GtkStyleContext *style = gtk_widget_get_style_context(widget);
    int width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget);
    graphene_rect_t all = GRAPHENE_RECT_INIT(0, 0, (float)width, (float)height);
    GdkRGBA text, received = colour_named(style, "blue_3", "#3584e4"),
                  sent = colour_named(style, "orange_3", "#ff7800");
    double scale = scale_of(graph);
    cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &all);

    gtk_style_context_get_color(style, &text);
    draw_ground(cr, text, width, height);
    draw_values(cr, graph->rx, &received, scale, width, height);
    draw_values(cr, graph->tx, &sent, scale, width, height);
    draw_scale(widget, cr, text, scale);
    cairo_destroy(cr);
}

static void godwit_graph_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                                 int *minimum, int *natural, int *minimum_baseline,
                                 int *natural_baseline)
{
    (void)widget;
    (void)for_size;
    *minimum = *natural = orientation == GTK_ORIENTATION_VERTICAL ? HEIGHT : 120;
    *minimum_baseline = *natural_baseline = -1;
}

/* ---- life ---- */

static void godwit_graph_map(GtkWidget *widget)
{
    GTK_WIDGET_CLASS(godwit_graph_parent_class)->map(widget);
    watch(GODWIT_GRAPH(widget));
}

static void godwit_graph_unmap(GtkWidget *widget)
{
    GTK_WIDGET_CLASS(godwit_graph_parent_class)->unmap(widget);
    watch(GODWIT_GRAPH(widget));
}

static void godwit_graph_dispose(GObject *object)
{
    godwit_graph_set_session(GODWIT_GRAPH(object), NULL);
    G_OBJECT_CLASS(godwit_graph_parent_class)->dispose(object);
}

static void godwit_graph_class_init(GodwitGraphClass *class)
{
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = godwit_graph_dispose;
    widget->snapshot = godwit_graph_snapshot;
    widget->measure = godwit_graph_measure;
    widget->map = godwit_graph_map;
    widget->unmap = godwit_graph_unmap;
    gtk_widget_class_set_css_name(widget, "graph");
    gtk_widget_class_set_accessible_role(widget, GTK_ACCESSIBLE_ROLE_IMG);
}

static void godwit_graph_init(GodwitGraph *graph)
{
    gtk_accessible_update_property(GTK_ACCESSIBLE(graph), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Traffic of the last minute"), -1);
}
