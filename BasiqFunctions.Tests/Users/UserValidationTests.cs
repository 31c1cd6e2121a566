using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.OpenApi;
using BasiqFunctions.Users;
using Moq;

namespace BasiqFunctions.Tests.Users;

[Trait("Category", "Unit")]
public sealed class UserValidationTests : IDisposable
{
    private readonly UsersScene _scene = new();
    private UserDetails? _sent;

    public UserValidationTests() =>
        _scene.Basiq.Setup(b => b.CreateUserAsync(It.IsAny<UserDetails>(), It.IsAny<CancellationToken>()))
            .Callback((UserDetails details, CancellationToken _) => _sent = details)
            .ReturnsAsync(UsersScene.BasiqUser());

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData("plain")]
    [InlineData("@hooli.com")]
    [InlineData("gavin@")]
    [InlineData("a@b@hooli.com")]
    [InlineData("gavin@hooli.com\r\nBcc: x@y.com")]
    [InlineData("gavin\0@hooli.com")]
    [InlineData("gavin belson@hooli.com")]
    [InlineData(" gavin@hooli.com")]
    [InlineData("gavin\u202E@hooli.com")]
    [InlineData("gavin\u2028@hooli.com")]
    [InlineData("gavin\u00A0belson@hooli.com")]
    [InlineData("")]
    public async Task An_e_mail_address_of_another_shape_is_refused(string email) => (await With("email", email)).Names("email");

    [Theory]
    [InlineData("gavin@hooli.com")]
    [InlineData("g+tag.x_y@mail.hooli.com.au")]
    [InlineData("o'neil@hooli.com")]
    [InlineData("josé@hooli.com")]
    [InlineData("用户@例子.中国")]
    [InlineData("gavin@xn--fsqu00a.xn--0zwm56d")]
    [InlineData("gavin@hooli")]
    [InlineData("gavin@[127.0.0.1]")]
    [InlineData("x\u0323\u0301@hooli.com")]
    public async Task An_e_mail_address_in_use_is_taken(string email)
    {
        Assert.Equal(201, (await With("email", email)).Status);
        Assert.Equal(email, _sent!.Email);
    }

    [Fact]
    public async Task The_longest_e_mail_address_is_taken_and_a_longer_one_is_not()
    {
        var longest = new string('a', 64) + "@" + string.Join('.', new string('b', 63), new string('c', 63), new string('d', 61));
        Assert.Equal(254, longest.Length);
        Assert.Equal(201, (await With("email", longest)).Status);
        (await With("email", longest + "d")).Names("email");
        (await With("email", "a" + new string('a', 64) + "@hooli.com")).Names("email");
    }

    [Theory]
    [InlineData("0410888666")]
    [InlineData("61410888666")]
    [InlineData("+0410888666")]
    [InlineData("+61 410 888 666")]
    [InlineData("+123456")]
    [InlineData("+1234567890123456")]
    [InlineData("+61410888666\n")]
    [InlineData("+６１４１０８８８６６６")]
    [InlineData("")]
    public async Task A_mobile_number_that_is_not_E164_is_refused(string mobile) => (await With("mobile", mobile)).Names("mobile");

    [Theory]
    [InlineData("+1234567")]
    [InlineData("+123456789012345")]
    public async Task A_mobile_number_alone_is_enough(string mobile)
    {
        Assert.Equal(201, (await Create(new JsonObject { ["mobile"] = mobile })).Status);
        Assert.Equal(new UserDetails { Mobile = mobile }, _sent);
    }

    [Fact]
    public async Task Neither_e_mail_nor_mobile_is_refused() =>
        (await Create(new JsonObject { ["firstName"] = "Gavin" })).Names("email");

    [Fact]
    public async Task A_null_says_the_same_as_leaving_the_field_out()
    {
        Assert.Equal(201, (await Create(new JsonObject { ["email"] = null, ["mobile"] = "+61410888666" })).Status);
        Assert.Equal(new UserDetails { Mobile = "+61410888666" }, _sent);
    }

    [Theory]
    [InlineData("firstName", 100)]
    [InlineData("middleName", 100)]
    [InlineData("lastName", 100)]
    [InlineData("businessName", 200)]
    public async Task A_name_is_one_line_of_limited_length(string field, int most)
    {
        Assert.Equal(201, (await With(field, new string('é', most))).Status);
        (await With(field, new string('x', most + 1))).Names(field);
        (await With(field, "Gavin\nBelson")).Names(field);
        (await With(field, "Gavin\u0000")).Names(field);
        (await With(field, "Gavin\u2028Belson")).Names(field);
    }

    [Theory]
    [InlineData("email")]
    [InlineData("mobile")]
    [InlineData("firstName")]
    [InlineData("middleName")]
    [InlineData("lastName")]
    [InlineData("businessName")]
    [InlineData("businessIdNo")]
    [InlineData("businessIdNoType")]
    [InlineData("verificationDate")]
    [InlineData("verificationStatus")]
    [InlineData("businessAddress")]
    public async Task A_value_of_another_type_is_refused_by_name(string field) =>
        Assert.Contains(field, (await With(field, JsonNode.Parse("[1]"))).IsProblem(400, "invalid-input").Fields);

    [Theory]
    [InlineData("51 824 753 556", "ABN")]
    [InlineData("51824753556", "ABN")]
    [InlineData("004 085 616", "ACN")]
    [InlineData("000000019", "ACN")]
    public async Task A_business_number_whose_check_digits_hold_is_taken(string number, string type) =>
        Assert.Equal(201, (await Business(number, type)).Status);

    [Theory]
    [InlineData("51 824 753 557", "ABN")]
    [InlineData("5182475355", "ABN")]
    [InlineData("518247535560", "ABN")]
    [InlineData("01824753556", "ABN")]
    [InlineData("51-824-753-556", "ABN")]
    [InlineData("004085617", "ACN")]
    [InlineData("51824753556", "ACN")]
    [InlineData("００４０８５６１６", "ACN")]
    [InlineData("", "ACN")]
    public async Task A_business_number_that_is_none_is_refused(string number, string type) =>
        (await Business(number, type)).Names("businessIdNo");

    [Theory]
    [InlineData("abn")]
    [InlineData("TFN")]
    [InlineData("")]
    public async Task A_business_number_of_an_unknown_kind_is_refused(string type) =>
        (await Business("51824753556", type)).Names("businessIdNoType");

    [Fact]
    public async Task A_business_number_and_its_kind_go_together()
    {
        (await With("businessIdNo", "51824753556")).Names("businessIdNoType");
        (await With("businessIdNoType", "ABN")).Names("businessIdNo");
    }

    [Theory]
    [InlineData("addressLine1", "a\nb")]
    [InlineData("addressLine2", "a\tb")]
    [InlineData("suburb", "a\u0000")]
    [InlineData("state", "a\r")]
    [InlineData("postcode", "20")]
    [InlineData("postcode", "2095;")]
    [InlineData("countryCode", "AU")]
    [InlineData("countryCode", "aus")]
    public async Task A_field_of_the_address_is_refused_by_its_path(string field, string value) =>
        (await With("businessAddress", new JsonObject { [field] = value })).Names($"businessAddress.{field}");

    [Fact]
    public async Task Unknown_fields_are_refused_by_name_also_inside_the_address()
    {
        var answer = await Create(JsonNode.Parse(
            """{"email":"gavin@hooli.com","emial":1,"businessAddress":{"postCode":"2095","state":5}}""")!);

        answer.Names("emial", "businessAddress.postCode", "businessAddress.state");
    }

    [Theory]
    [InlineData("2024-01-31")]
    [InlineData("31/02/2024")]
    [InlineData("1/2/2024")]
    [InlineData("12/31/2024")]
    [InlineData("31/01/2024 ")]
    [InlineData("")]
    public async Task A_verification_date_is_a_day_of_the_calendar(string date) =>
        (await With("verificationDate", date)).Names("verificationDate");

    [Fact]
    public async Task Everything_that_is_wrong_is_named_in_one_answer_and_nothing_quoted()
    {
        var answer = await Create(JsonNode.Parse("""
            {"email":"gavin belson","mobile":"0410888666","firstName":1,"verificationStatus":"yes","verificationDate":"x","other":true}
            """)!);

        answer.Names("email", "mobile", "firstName", "verificationStatus", "verificationDate", "other");
        Assert.DoesNotContain("gavin", answer.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("0410888666", answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"x\"")]
    [InlineData("{\"email\":\"gavin@hooli.com\"} {}")]
    [InlineData("{\"\\ud800\":1}")]
    public async Task A_body_that_is_no_object_is_refused(string body) => (await Post(body)).Names("body");

    [Fact]
    public async Task Half_a_surrogate_pair_is_no_text() =>
        (await Post("""{"email":"gavin@hooli.com","firstName":"\ud83d"}""")).Names("firstName");

    [Fact]
    public async Task A_field_that_is_given_twice_is_refused() =>
        (await Post("""{"email":"gavin@hooli.com","email":"other@hooli.com"}""")).Names("email");

    [Theory]
    [InlineData("""{"suburb":"Manly","suburb":"Fairlight"}""", "businessAddress.suburb")]
    [InlineData("""{"\ud800":1}""", "businessAddress")]
    [InlineData("""{"suburb":{"suburb":"Manly","suburb":"Manly"}}""", "businessAddress.suburb")]
    public async Task Fields_of_fields_are_read_as_strictly(string address, string named) =>
        (await Post($$"""{"email":"gavin@hooli.com","businessAddress":{{address}}}""")).Names(named);

    [Fact]
    public async Task A_body_of_10_MB_is_refused_for_its_size() =>
        (await Post($$"""{"email":"{{new string('a', 10_000_000)}}"}""")).IsProblem(413, "body-too-large");

    [Fact]
    public async Task Another_content_type_is_refused()
    {
        var answer = await _scene.CallAsync<UserFunctions>(
            (f, r) => f.CreateUser(r, default), "email=gavin@hooli.com", contentType: "application/x-www-form-urlencoded");

        answer.IsProblem(415, "unsupported-media-type");
    }

    /// <summary>So a field that is added to <see cref="UserDetails"/> is validated at a creation, and a change takes it or says why not.</summary>
    [Fact]
    public async Task Every_field_of_a_user_has_a_rule_and_a_change_takes_it_or_says_why_not()
    {
        var changeable = typeof(UserFunctions).GetMethod(nameof(UserFunctions.UpdateUser))!.GetCustomAttribute<TakesAttribute>()!.Fields;
        foreach (var field in typeof(UserDetails).GetProperties())
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(field.Name);
            JsonNode bad = field.PropertyType == typeof(bool?) ? true : field.PropertyType == typeof(string) ? "\u0001" : new JsonObject { ["state"] = "\u0001" };
            if (field.PropertyType != typeof(bool?))
                Assert.Contains((await With(name, bad.DeepClone())).Fields, named => named.StartsWith(name, StringComparison.Ordinal));

            var change = await _scene.CallAsync<UserFunctions>(
                (f, r) => f.UpdateUser(r, UsersScene.Someone, default), new JsonObject { [name] = bad }.ToJsonString());
            change.Names(name);
            Assert.Equal(changeable.Contains(name), !change.Body.Contains("only when the user is created", StringComparison.Ordinal));
        }
    }

    private Task<Answer> With(string field, JsonNode? value)
    {
        var body = new JsonObject { ["email"] = "gavin@hooli.com", [field] = value };
        return Create(body);
    }

    private Task<Answer> Business(string number, string type) =>
        Create(new JsonObject { ["email"] = "gavin@hooli.com", ["businessIdNo"] = number, ["businessIdNoType"] = type });

    private Task<Answer> Create(JsonNode body) => Post(body.ToJsonString());

    private Task<Answer> Post(string body) => _scene.CallAsync<UserFunctions>((f, r) => f.CreateUser(r, default), body);
}
