using System.Net;

namespace BasiqFunctions.Tests.Sandbox;

[Trait("Category", "Unit")]
public sealed class UserTests
{
    [Fact]
    public async Task A_user_is_created_updated_in_part_and_read_back()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var address = new { addressLine1 = "21 Sydney Rd", suburb = "Manly", state = "NSW", postcode = "2095", countryCode = "AUS" };
        var created = await host.Send(HttpMethod.Post, "/users", HttpStatusCode.Created, new
        {
            mobile = "+61410888999",
            firstName = "Gavin",
            lastName = "Belson",
            businessName = "Manly Accounting",
            businessIdNoType = "ABN",
            businessAddress = address,
            verificationStatus = true,
            verificationDate = "12/01/2024",
        });
        var url = $"/users/{created.GetProperty("id").GetString()}";

        await host.Send(HttpMethod.Post, url, HttpStatusCode.OK, new { email = "gavin@mail.example", firstName = "G" });
        var user = await host.Get(url);
        Assert.Equal("gavin@mail.example", user.GetProperty("email").GetString());
        Assert.Equal("+61410888999", user.GetProperty("mobile").GetString());
        Assert.Equal("G Belson", user.GetProperty("name").GetString());
        Assert.Equal("Manly", user.GetProperty("businessAddress").GetProperty("suburb").GetString());
        Assert.Equal(0, user.GetProperty("connections").GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task The_same_email_twice_makes_two_users()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        Assert.NotEqual(await host.CreateUser("same@mail.example"), await host.CreateUser("same@mail.example"));
    }

    [Theory]
    [InlineData("""{}""", "parameter-not-supplied", "email")]
    [InlineData("""{"email":"no-at-sign"}""", "parameter-not-valid", "email")]
    [InlineData("""{"email":17}""", "parameter-not-valid", "email")]
    [InlineData("""{"mobile":"0410888999"}""", "parameter-not-valid", "mobile")]
    [InlineData("""{"mobile":"+61410888999\n"}""", "parameter-not-valid", "mobile")]
    [InlineData("""{"email":"a@b.example","businessIdNoType":"TFN"}""", "parameter-not-valid", "businessIdNoType")]
    [InlineData("""{"email":"a@b.example","verificationStatus":"yes"}""", "parameter-not-valid", "verificationStatus")]
    [InlineData("""{"email":"a@b.example","businessAddress":{"state":7}}""", "parameter-not-valid", "businessAddress")]
    [InlineData("""[]""", "invalid-content", null)]
    [InlineData("""{"email":""", "invalid-content", null)]
    public async Task A_user_that_is_not_valid_is_refused_naming_the_field(string body, string code, string? field)
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        using var response = await host.Http.PostAsync("/users", new StringContent(body, null, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        using var json = System.Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        var error = json.RootElement.GetProperty("data")[0];
        Assert.Equal(code, error.GetProperty("code").GetString());
        if (field is not null)
            Assert.Equal(field, error.GetProperty("source").GetProperty("parameter").GetString());
    }

    [Fact]
    public async Task A_deleted_user_takes_its_jobs_data_and_tokens_along()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        var jobId = await host.Connect(userId);
        var token = await host.ClientToken(userId);

        await host.Send(HttpMethod.Delete, $"/users/{userId}", HttpStatusCode.NoContent);

        foreach (var path in (string[])[$"/users/{userId}", $"/users/{userId}/accounts", $"/users/{userId}/transactions", $"/jobs/{jobId}"])
            await host.Error(HttpMethod.Get, path, HttpStatusCode.NotFound);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.Http.GetAsync($"/home?token={token}")).StatusCode);
        await host.Error(HttpMethod.Delete, $"/users/{userId}", HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("GET", "/users/nobody")]
    [InlineData("POST", "/users/nobody")]
    [InlineData("DELETE", "/users/nobody")]
    [InlineData("GET", "/users/nobody/consents")]
    [InlineData("DELETE", "/users/nobody/consents/none")]
    [InlineData("POST", "/users/nobody/auth_link")]
    [InlineData("GET", "/users/nobody/jobs")]
    [InlineData("GET", "/jobs/none")]
    [InlineData("GET", "/users/nobody/connections")]
    [InlineData("POST", "/users/nobody/connections/refresh")]
    [InlineData("GET", "/users/nobody/accounts/none")]
    [InlineData("GET", "/users/nobody/transactions/none")]
    [InlineData("GET", "/nowhere")]
    public async Task What_does_not_exist_is_not_found(string method, string path)
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var error = await host.Error(new HttpMethod(method), path, HttpStatusCode.NotFound, method == "POST" ? new { email = "a@b.example" } : null);
        Assert.Equal("resource-not-found", error.GetProperty("code").GetString());
    }

    [Fact]
    public async Task An_answer_in_something_else_than_json_cannot_be_asked_for()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        host.Http.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        var error = await host.Error(HttpMethod.Get, "/users/nobody", HttpStatusCode.BadRequest);
        Assert.Equal("unsupported-accept", error.GetProperty("code").GetString());
    }

    [Fact]
    public async Task An_auth_link_leads_to_the_consent_page_until_it_is_replaced_deleted_or_expired()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var userId = await host.CreateUser();
        var url = $"/users/{userId}/auth_link";
        var error = await host.Error(HttpMethod.Post, url, HttpStatusCode.BadRequest);
        Assert.Equal("mobile", error.GetProperty("source").GetProperty("parameter").GetString());
        await host.Error(HttpMethod.Post, url, HttpStatusCode.BadRequest, new { mobile = "12" });
        await host.Error(HttpMethod.Get, url, HttpStatusCode.NotFound);

        var first = await host.Send(HttpMethod.Post, url, HttpStatusCode.Created, new { mobile = "+61410000000" });
        var link = first.GetProperty("links").GetProperty("public").GetString()!;
        var page = await host.Http.GetAsync(link);
        Assert.Equal(HttpStatusCode.SeeOther, page.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Http.GetAsync(page.Headers.Location)).StatusCode);

        await host.Send(HttpMethod.Post, url, HttpStatusCode.Created, new { mobile = "+61410000000" });
        Assert.Equal(HttpStatusCode.NotFound, (await host.Http.GetAsync(link)).StatusCode);
        await host.Get(url);

        host.Clock.Advance(TimeSpan.FromDays(31));
        await host.SignIn();
        error = await host.Error(HttpMethod.Get, url, HttpStatusCode.Gone);
        Assert.Equal("resource-no-longer-available", error.GetProperty("code").GetString());
        await host.Send(HttpMethod.Delete, url, HttpStatusCode.NoContent);
        await host.Error(HttpMethod.Delete, url, HttpStatusCode.NotFound);
    }
}
