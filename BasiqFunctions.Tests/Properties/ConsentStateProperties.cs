using BasiqFunctions.Consents;
using BasiqFunctions.Tests.Users;
using CsCheck;

namespace BasiqFunctions.Tests.Properties;

[Trait("Category", "Unit")]
[Collection(PropertyTests.Collection)]
public sealed class ConsentStateProperties : IDisposable
{
    private readonly UsersScene _scene = new();

    private ConsentStates States => _scene.Get<ConsentStates>();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public async Task A_state_says_what_was_signed_and_with_any_single_change_nothing() =>
        await Gen.Select(Gen.String[Gen.Char["abcXYZ019_-"], 1, 64], Gen.String[Gen.Char["abc/?=&%20\u00e9'\"\\"], 0, 40], Gen.Int[0, 10_000], Gen.Char)
            .SampleAsync(async (user, path, at, with) =>
            {
                var url = new Uri($"https://app.example/{path}");
                var state = await States.IssueAsync(new(user), url, default);
                var read = await States.VerifyAsync(state, default);
                Assert.Equal((user, url.AbsoluteUri), (read!.UserId, read.ReturnUrl));

                at %= state.Length;
                string[] forged =
                [
                    new([.. state.Select((c, i) => i == at ? (char)(c ^ (1 << (with % 16))) : c)]),
                    state.Remove(at, 1), state.Insert(at, with.ToString()), state[..at],
                ];
                foreach (var text in forged)
                    Assert.Null(await States.VerifyAsync(text, default));
            });
}
