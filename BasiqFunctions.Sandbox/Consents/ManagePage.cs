using System.Text;
using BasiqFunctions.Sandbox.Auth;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Data;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.Sandbox.Consents;

/// <summary>
/// What the consent page shows with <c>action=manage</c>: the person's consents with their end, the banks that rest on each,
/// and a button that revokes.
/// </summary>
/// <remarks>
/// <c>POST /home/manage</c>, <c>application/x-www-form-urlencoded</c>, with <c>token</c> (a client token), <c>state</c> (optional)
/// and one of <c>revoke=&lt;consent id&gt;</c>, <c>extend=1</c> (303 to this page again: a reload does nothing twice) and
/// <c>done=1</c> (303 to the return URL with <c>state</c>).
/// </remarks>
internal sealed class ManagePage(SandboxState state, Tokens tokens, ConsentLife consents, LiveOptions options, TimeProvider clock)
{
    public void Map(ApiRoutes routes) => routes.Open("POST", "/home/manage", Submit);

    public Task Show(HttpContext context, UserState user)
    {
        var query = context.Request.Query;
        return ConsentPage.Page(context, 200, "Your data sharing", Content(user, query["token"], query["state"], query["notice"]));
    }

    private async Task Submit(HttpContext context)
    {
        var form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted) : FormCollection.Empty;
        string? token = form["token"];
        if (tokens.Read(token) is not { Scope: TokenScope.Client, UserId: { } userId } || state.User(userId) is not { } user)
        {
            await ConsentPage.Refuse(context);
            return;
        }

        var returned = Uri.EscapeDataString(form["state"].ToString());
        if (form.ContainsKey("done"))
        {
            var url = options.Current.ReturnUrl;
            var separator = url.Contains('?', StringComparison.Ordinal) ? '&' : '?';
            Redirect(context, returned.Length == 0 ? url : $"{url}{separator}state={returned}");
            return;
        }

        var notice = "";
        lock (user.Gate)
        {
            if (form["revoke"] is [{ Length: > 0 } id] && consents.Revoke(user, id))
                notice = "&notice=revoked";
            else if (form.ContainsKey("extend") && !user.Deleted && consents.Extend(user))
                notice = "&notice=extended";
        }

        Redirect(context, $"/home?token={Uri.EscapeDataString(token!)}&action=manage&state={returned}{notice}");
    }

    private static void Redirect(HttpContext context, string url)
    {
        ConsentPage.SetHeaders(context, 303);
        context.Response.Headers.Location = url;
    }

    private string Content(UserState user, string? token, string? returned, string? notice)
    {
        var now = clock.GetUtcNow();
        var html = new StringBuilder();
        if (notice is "revoked")
            html.Append("<p class=\"notice\" role=\"status\">The consent is revoked. The app may not keep what it fetched with it.</p>");
        else if (notice is "extended")
            html.Append("<p class=\"notice\" role=\"status\">The consent was extended.</p>");
        if (user.Consents.Length == 0)
            html.Append("<p>You share no data.</p>");
        foreach (var consent in user.Consents.Reverse())
        {
            html.Append("<section class=\"consent\"><h2>").Append(Standing(consent, now)).Append("</h2><p>Given on ").Append(SydneyDays.InWords(consent.Created));
            html.Append(consent.Revoked is { } revoked
                ? $", revoked on {SydneyDays.InWords(revoked)}."
                : consent.HasEndedAt(now) ? $", ended on {SydneyDays.InWords(consent.Expires)}." : $", ends on {SydneyDays.InWords(consent.Expires)}.");
            html.Append("</p><ul>");
            foreach (var connection in user.Connections.Where(c => c.Record.ConsentId == consent.Id && !c.Record.Deleted))
            {
                html.Append("<li>").Append(ConsentPage.Encode(Institution.Find(connection.Record.InstitutionId)!.Name));
                html.Append(consent.HasEndedAt(now) ? " (no longer shared)</li>" : "</li>");
            }

            html.Append("</ul>");
            if (!consent.HasEndedAt(now))
            {
                OpenForm(html, token, returned);
                html.Append("<div class=\"actions\"><button name=\"revoke\" value=\"").Append(ConsentPage.Encode(consent.Id))
                    .Append("\">Revoke</button><button name=\"extend\" value=\"1\">Extend</button></div></form>");
            }

            html.Append("</section>");
        }

        OpenForm(html, token, returned);
        return html.Append("<div class=\"actions\"><button class=\"main\" name=\"done\" value=\"1\">Done</button></div></form>").ToString();
    }

    private static string Standing(ConsentRecord consent, DateTimeOffset now) =>
        consent.Revoked is not null ? "Revoked" : consent.HasEndedAt(now) ? "Expired" : "Active";

    private static void OpenForm(StringBuilder html, string? token, string? returned)
    {
        html.Append("<form method=\"post\" action=\"/home/manage\">");
        ConsentPage.Hidden(html, "token", token);
        ConsentPage.Hidden(html, "state", returned);
    }
}
