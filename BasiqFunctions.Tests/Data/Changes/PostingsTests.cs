using System.Text;
using BasiqFunctions.Data;
using BasiqFunctions.Data.Changes;
using static BasiqFunctions.Tests.Data.Changes.ChangeScene;

namespace BasiqFunctions.Tests.Data.Changes;

[Trait("Category", "Unit")]
public sealed class PostingsTests
{
    private static readonly DateOnly Day = new(2024, 6, 1);
    private static readonly BankDays Days = new("Australia/Sydney");

    [Theory]
    [InlineData(0, "PENDING - Coles 0441", "COLES SYDNEY", "-10.50", "-10.5", "AUD", true)]
    [InlineData(31, "Coles Sydney NSW", "Coles, Sydney", "10.50", "10.50", "AUD", true)]
    [InlineData(0, "Café zürich", "CAFÉ ZÜRICH CH", "-1,000.00", "-1000", "AUD", true)]
    [InlineData(32, "Coles", "Coles", "-10.50", "-10.50", "AUD", false)]
    [InlineData(-1, "Coles", "Coles", "-10.50", "-10.50", "AUD", false)]
    [InlineData(0, "Coles", "Aldi", "-10.50", "-10.50", "AUD", false)]
    [InlineData(0, "Coles Sydney", "Coles Perth", "-10.50", "-10.50", "AUD", false)]
    [InlineData(0, "Coles", "Coles", "-10.50", "10.50", "AUD", false)]
    [InlineData(0, "Coles", "Coles", "-10.50", "-10.50", "NZD", false)]
    [InlineData(0, "0441 3F", "0441 3F", "-10.50", "-10.50", "AUD", false)]
    [InlineData(0, "Pending hold", "Pending hold", "-10.50", "-10.50", "AUD", false)]
    [InlineData(0, "Coles", "Coles", "ten", "ten", "AUD", false)]
    public void It_takes_the_same_amount_and_currency_words_alike_and_a_day_soon_after(
        int days, string pending, string posted, string amount, string postedAmount, string currency, bool fits)
    {
        var postings = new Postings();
        AddPending(postings, Pending("p", Day, pending, amount));
        AddPosted(postings, Posted("t", Day.AddDays(days), posted, postedAmount, currency));
        postings.Settle(_ => true);
        Assert.Equal((fits ? 1 : 0, 0), (postings.Linked, postings.Ambiguous));
        Assert.Equal(fits ? "p" : "", OriginOf(postings, "t"));
    }

    [Fact]
    public void Of_what_fits_more_than_once_nothing_is_said()
    {
        // Two that were pending and one posted; one pending and two posted; and a third pair, beside one that is still pending.
        var postings = new Postings();
        foreach (var (id, words) in new[] { ("p1", "tea"), ("p2", "tea"), ("p3", "bread"), ("p4", "milk"), ("p5", "milk") })
            AddPending(postings, Pending(id, Day, words));
        foreach (var (id, words) in new[] { ("t1", "tea"), ("t2", "bread"), ("t3", "bread"), ("t4", "milk") })
            AddPosted(postings, Posted(id, Day, words));
        postings.Settle(key => key != KeyOf("p5"));
        Assert.Equal((1, 3), (postings.Linked, postings.Ambiguous));
        Assert.Equal(["", "", "", "p4"], ((string[])["t1", "t2", "t3", "t4"]).Select(id => OriginOf(postings, id)));
    }

    private static void AddPending(Postings postings, string json) =>
        postings.AddPending(KeyOf(IdOf(json)), Encoding.UTF8.GetBytes(IdOf(json)), Encoding.UTF8.GetBytes(json), TransactionFacts.Read(Encoding.UTF8.GetBytes(json), Days).Day);

    private static void AddPosted(Postings postings, string json) =>
        postings.AddPosted(KeyOf(IdOf(json)), Encoding.UTF8.GetBytes(json), TransactionFacts.Read(Encoding.UTF8.GetBytes(json), Days).Day);

    private static string OriginOf(Postings postings, string id) => Encoding.UTF8.GetString(postings.OriginOf(KeyOf(id)));

    private static Fingerprint KeyOf(string id) => Fingerprint.Of(Encoding.UTF8.GetBytes(id));
}
