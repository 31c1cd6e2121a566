using System.Buffers.Text;
using System.Text;
using BasiqFunctions.Consents;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Tests.Users;

namespace BasiqFunctions.Tests.Consents;

[Trait("Category", "Unit")]
public sealed class ConsentStateTests : IDisposable
{
    private readonly UsersScene _scene = new();

    private ConsentStates States => _scene.Get<ConsentStates>();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task A_state_says_what_it_was_issued_for()
    {
        var state = await States.IssueAsync(new("user-1"), new Uri("https://app.example/banks?x=1"), default);

        Assert.Equal(
            new ConsentState(new("user-1"), "https://app.example/banks?x=1", _scene.Clock.GetUtcNow() + TimeSpan.FromHours(1)),
            await States.VerifyAsync(state, default));
    }

    [Fact]
    public async Task Two_states_for_the_same_are_never_the_same() =>
        Assert.NotEqual(await States.IssueAsync(new("user-1"), null, default), await States.IssueAsync(new("user-1"), null, default));

    [Fact]
    public async Task A_state_of_which_any_single_bit_was_changed_is_refused()
    {
        var state = await States.IssueAsync(new("user-1"), null, default);
        for (var i = 0; i < state.Length; i++)
        {
            for (var bit = 0; bit < 7; bit++)
            {
                var forged = state.ToCharArray();
                forged[i] ^= (char)(1 << bit);
                Assert.Null(await States.VerifyAsync(new string(forged), default));
            }
        }
    }

    [Fact]
    public async Task A_state_that_is_cut_grown_or_taken_apart_is_refused()
    {
        var state = await States.IssueAsync(new("user-1"), null, default);
        var other = await States.IssueAsync(new("user-2"), null, default);
        var (payload, signature) = (state.Split('.')[0], state.Split('.')[1]);
        string?[] forged =
        [
            null, "", ".", "..", "x", payload, $"{payload}.", $".{signature}", $"{payload}.{signature}.", $"{payload}.{signature}=",
            $"{payload}={signature}", $"{payload}.{signature[..^1]}", $"{payload}.{other.Split('.')[1]}", $"{other.Split('.')[0]}.{signature}",
            $" {state}", $"{state} ", state.ToUpperInvariant(), new string('a', 5000),
            $"{Base64Url.EncodeToString("""{"v":1,"u":"user-2","e":99999999999,"n":"x"}"""u8)}.{signature}",
        ];
        foreach (var text in forged)
            Assert.Null(await States.VerifyAsync(text, default));
        Assert.NotNull(await States.VerifyAsync(state, default));
    }

    [Fact]
    public async Task A_state_is_refused_from_the_second_it_expires()
    {
        var state = await States.IssueAsync(new("user-1"), null, default);

        _scene.Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromSeconds(1));
        Assert.True(States.IsCurrent((await States.VerifyAsync(state, default))!));
        _scene.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(States.IsCurrent((await States.VerifyAsync(state, default))!));
    }

    [Fact]
    public async Task Two_instances_of_the_app_take_each_others_states_from_the_first_on()
    {
        var other = new ConsentStates(
            _scene.Vault.CreateClient(),
            Microsoft.Extensions.Options.Options.Create(new ConsentOptions()),
            _scene.Clock,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<ConsentStates>.Instance);

        Assert.NotNull(await other.VerifyAsync(await States.IssueAsync(new("user-1"), null, default), default));
        Assert.NotNull(await States.VerifyAsync(await other.IssueAsync(new("user-2"), null, default), default));
    }

    [Fact]
    public async Task A_key_that_was_rotated_is_taken_up_when_a_state_comes_that_the_old_one_did_not_sign()
    {
        await States.IssueAsync(new("user-1"), null, default);
        _scene.Clock.Advance(ConsentStates.LeastBetweenLooks);
        Rotate("a-new-key");
        var other = new ConsentStates(
            _scene.Vault.CreateClient(),
            Microsoft.Extensions.Options.Options.Create(new ConsentOptions()),
            _scene.Clock,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<ConsentStates>.Instance);

        Assert.NotNull(await States.VerifyAsync(await other.IssueAsync(new("user-1"), null, default), default));
    }

    [Fact]
    public async Task A_key_that_was_rotated_out_signs_nothing_any_more()
    {
        var old = await States.IssueAsync(new("user-1"), null, default);
        Rotate("a-new-key");
        _scene.Clock.Advance(ConsentStates.KeyFreshFor);

        Assert.Null(await States.VerifyAsync(old, default));
    }

    [Fact]
    public async Task Any_number_of_forged_states_ask_Key_Vault_once_a_minute()
    {
        await States.IssueAsync(new("user-1"), null, default);
        var before = _scene.Vault.Requests;

        _scene.Clock.Advance(ConsentStates.LeastBetweenLooks);
        for (var i = 0; i < 100; i++)
            Assert.Null(await States.VerifyAsync($"forged.{i}", default));

        Assert.Equal(before + 1, _scene.Vault.Requests);
    }

    [Fact]
    public async Task While_Key_Vault_is_down_the_key_in_memory_stays_in_use()
    {
        var state = await States.IssueAsync(new("user-1"), null, default);
        _scene.Vault.IsDown = true;
        _scene.Clock.Advance(ConsentStates.KeyFreshFor);

        Assert.NotNull(await States.VerifyAsync(state, default));
        Assert.NotNull(await States.VerifyAsync(await States.IssueAsync(new("user-1"), null, default), default));
    }

    [Fact]
    public async Task A_hundred_first_callers_make_one_key()
    {
        var states = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => States.IssueAsync(new("user-1"), null, default))));

        Assert.Single(_scene.Vault.Secrets.Versions(SecretNames.ConsentStateKey));
        foreach (var state in states)
            Assert.NotNull(await States.VerifyAsync(state, default));
    }

    private void Rotate(string key) => _scene.Vault.Secrets.Set(
        SecretNames.ConsentStateKey, Convert.ToBase64String(Encoding.UTF8.GetBytes(key)), null, new(), null);
}
